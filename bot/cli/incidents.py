"""`tocsin incident …`: the same desk as Slack, on the same database, beside a running `serve`."""

import asyncio
import getpass
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.output import Failure, say, say_json, table
from bot.domain.verbs import VERBS
from bot.domain.verbs.model import Verb

Json = Annotated[bool, typer.Option("--json", help="for a machine")]
As = Annotated[str | None, typer.Option("--as", metavar="USER", help="a Slack id; else cli:<you>")]
Number = Annotated[str, typer.Argument(metavar="N", help="7 or INC-7")]


def _verb(verb: Verb) -> Callable[..., None]:
    """Return the command of one verb: N first where it is about an incident, then its words as in Slack."""

    def run(
        context: typer.Context,
        words: Annotated[list[str] | None, typer.Argument(metavar="[N] [WORDS]…")] = None,
        as_json: Json = False,
        actor: As = None,
    ) -> None:
        said = list(words or [])
        if verb.name == "page" and said[:1] == ["--test"]:
            _print(asyncio.run(_do(context.obj, " ".join(["pagetest", *said[1:]]), actor)), as_json)
            return
        if verb.incident:
            number = _read_number(said[0]) if said else None
            if number is None:
                raise Failure(f"say which incident: tocsin incident {verb.name} 7 …")
            said = [f"INC-{number}", verb.name, *said[1:]]
        else:
            said = [verb.name, *said]
        _print(asyncio.run(_do(context.obj, " ".join(said), actor)), as_json)

    return run


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(no_args_is_help=True, help="Incidents: list, show, declare, and every verb of Slack.")
    group.command("list", help="The open incidents.")(list_)
    group.command(help="One incident.")(show)
    group.command(help="What happened, in order.")(timeline)
    group.command(help="Refold every incident, walk the hash chains, name the first bad row of each.")(verify)
    group.command(help="Rebuild the state from the log and print it, byte for byte.")(replay)
    group.command(help="Declare an incident.")(declare)
    fixed = {"list", "timeline", "declare"}
    for verb in VERBS.values():
        for word in (verb.name, *verb.aliases):
            if re.fullmatch("[a-z][a-z-]*", word) and word not in fixed:
                about = f"{verb.help[:1].upper()}{verb.help[1:]}."
                options = {"ignore_unknown_options": True}
                group.command(word, help=about, hidden=word != verb.name, context_settings=options)(_verb(verb))
    app.add_typer(group, name="incident")


def _read_number(text: str) -> int | None:
    digits = text.upper().removeprefix("INC-").lstrip("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def number_of(text: str) -> int:
    """Return 7 for `7` or `INC-7`. Raises Failure."""
    number = _read_number(text)
    if number is None:
        raise Failure(f"{text[:40]!r} is not an incident; write 7 or INC-7")
    return number


def actor_of(given: str | None) -> str:
    """Return the Slack id given with --as, else `cli:<user>`."""
    from bot.domain.people import is_person

    if given and not is_person(given):
        raise Failure(f"{given[:40]!r} is not a Slack id; they look like U0123ABCD")
    return given or f"cli:{getpass.getuser()}"


async def _do(config: Path | None, text: str, actor: str | None) -> tuple[str, Any]:
    from bot.wiring.tools import open_tools

    who = actor_of(actor)
    async with open_tools(config) as tools:
        return tools.answer(await tools.desk.do(text, _request(who)))


def _ask(config: Path | None, look: Callable[[Any], Awaitable[Any]]) -> Any:
    """Run one query."""
    from bot.wiring.tools import open_tools

    async def run() -> Any:
        async with open_tools(config) as tools:
            return await look(tools)

    return asyncio.run(run())


def list_(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="also those that are over")] = False,
    as_json: Json = False,
) -> None:
    """Print the incidents."""
    found = _ask(context.obj, lambda tools: tools.queries.incidents(tools.viewer, everything=everything))
    if as_json:
        say_json(found)
    elif not found:
        say("No open incidents." if not everything else "No incidents yet.")
    else:
        table(
            [[i["key"], i["severity"].upper(), i["status"], i["declared_at"], _marks(i) + i["title"]] for i in found],
            ["KEY", "SEV", "STATUS", "DECLARED", "TITLE"],
        )


def _marks(incident: dict[str, Any]) -> str:
    return ("[private] " if incident["private"] else "") + ("[drill] " if incident["drill"] else "")


def show(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Print one incident."""
    found = _ask(context.obj, lambda tools: tools.queries.show(tools.viewer, number_of(number)))
    if as_json:
        say_json(found)
        return
    for key, value in found.items():
        if value not in (None, "", [], {}):
            say(f"{key + ':':<18}{value if not isinstance(value, list | dict) else _short(value)}")


def _short(value: list[Any] | dict[str, Any]) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return "; ".join(", ".join(f"{k} {v}" for k, v in x.items() if v) if isinstance(x, dict) else str(x) for x in value)


def timeline(
    context: typer.Context,
    number: Number,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], help="in UTC")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the timeline, oldest first."""
    from datetime import UTC

    at = as_of.replace(tzinfo=UTC) if as_of else None
    lines = _ask(context.obj, lambda tools: tools.queries.timeline(tools.viewer, number_of(number), at))
    if as_json:
        say_json(lines)
        return
    from bot.render.slack.answers import plain_people

    for line in lines:
        say(f"{line['at']}  {plain_people(line['text'])}")


def verify(context: typer.Context, number: Annotated[str | None, typer.Argument(metavar="[N]")] = None) -> None:
    """Check every incident, or one."""
    picked = number_of(number) if number else None
    faults = _ask(context.obj, lambda tools: tools.reader.verify(picked))
    for fault in faults:
        say(str(fault))
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise Failure(f"{count}; keep a copy of the database before you do anything else")
    say("No faults: every hash, every body and every snapshot agrees with the log.")


def replay(context: typer.Context, number: Number) -> None:
    """Print the state, folded anew from the log: byte for byte what the snapshot should be."""
    from bot.ports.reader import BadRow

    picked = number_of(number)
    try:
        state = _ask(context.obj, lambda tools: tools.reader.replay(picked))
    except BadRow as bad:
        raise Failure(f"{bad}. Nothing was replayed; see: tocsin incident verify") from None
    typer.echo(state.encode(), nl=sys.stdout.isatty())


def declare(
    context: typer.Context,
    severity: Annotated[str, typer.Argument(metavar="SEV", help="sev1 … sev4")],
    title: Annotated[list[str], typer.Argument(metavar="TITLE…")],
    service: Annotated[str | None, typer.Option(help="which service it is about")] = None,
    private: Annotated[bool, typer.Option("--private", help="only for those invited")] = False,
    drill: Annotated[bool, typer.Option("--drill", help="an exercise: marked everywhere, counted nowhere")] = False,
    as_json: Json = False,
    actor: As = None,
) -> None:
    """Declare, in the words of `/incident declare`; a running `serve` opens the channel."""
    options = [f'--sev "{severity}"', *([f'--service "{service}"'] if service else [])]
    options += [flag for flag, said in (("--private", private), ("--drill", drill)) if said]
    _print(asyncio.run(_do(context.obj, " ".join(["declare", *options, *title]), actor)), as_json)


def _request(actor: str) -> Any:
    from ulid import ULID

    from bot.usecases.cases import Request

    return Request(actor, command_id=f"cli:{ULID()}", request_id=f"cli-{ULID()}", surface="cli")


def _print(answer: tuple[str, Any], as_json: bool) -> None:
    text, data = answer
    if as_json:
        say_json(data)
    else:
        say(text)
