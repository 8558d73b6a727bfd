"""`tocsin explain PAYLOAD.json`: what an alert would do, and why. Writes nothing."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.output import Failure, say, say_json

Json = Annotated[bool, typer.Option("--json", help="for a machine")]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(
        help="Dry run of an alert: route, severity and why, what it would join, runbook, who is invited, what would be "
        "posted. Writes nothing."
    )(explain)


def explain(
    context: typer.Context,
    payload: Path,
    source: Annotated[
        str, typer.Option(help="alertmanager, pagerduty, or a name under webhooks.generic")
    ] = "alertmanager",
    as_json: Json = False,
) -> None:
    """Print the trace, held against what is on record: the same text that `why` shows of an incident."""
    from bot.render.slack.answers import query_text
    from bot.settings import read_settings
    from bot.wiring.tools import open_texts

    settings = read_settings(context.obj)
    found = asyncio.run(_explained(settings, _read(settings, payload, source)))
    if as_json:
        say_json(found)
        return
    say(query_text("why", found, open_texts(settings), "cli"))


def _read(settings: Any, payload: Path, source: str) -> Any:
    """Return what the delivery in the file says, as its door reads it. Raises Failure."""
    from bot.inbound.alerts import SOURCES
    from bot.inbound.alerts.generic import Delivery, Generic
    from bot.inbound.alerts.reading import Unusable

    generic = settings.config.webhooks.generic
    if source not in SOURCES and source not in generic:
        raise Failure(f"{source[:40]!r} is not a source; use one of: {', '.join([*SOURCES, *generic])}")
    reader = SOURCES.get(source) or Delivery(Generic(source, generic[source], {}))
    try:
        return reader.parse(payload.read_bytes(), {})
    except OSError as exc:
        raise Failure(f"{payload}: cannot be read: {exc.strerror}") from exc
    except Unusable as exc:
        raise Failure(f"{payload}: {exc}") from exc


async def _explained(settings: Any, batch: Any) -> dict[str, Any]:
    from bot.ports.clock import utc_now
    from bot.render.slack.message import Links, Surroundings
    from bot.render.slack.renderer import Renderer
    from bot.usecases.explaining import case_of, explain
    from bot.wiring.foreseeing import on_record
    from bot.wiring.tools import open_library, open_texts

    now, policy = utc_now(), settings.config
    runbooks = await open_library(settings).fresh()
    record = await on_record(settings, lambda name: case_of(batch, policy, runbooks, now, name).keys())
    silences = bool(policy.webhooks.alertmanager.url)
    render = Renderer(Surroundings(open_texts(settings), policy, Links(settings.public_url), silences))
    return explain(
        batch,
        policy,
        runbooks,
        record.loaded,
        now,
        installation=record.installation,
        render=render,
        unseen=record.unseen,
    )
