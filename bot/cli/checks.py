"""`tocsin doctor`, `config`, `manifest`: is everything as it must be, and if not, what to do."""

import asyncio
from typing import Annotated

import typer

from bot.cli.output import Failure, say, say_json

Json = Annotated[bool, typer.Option("--json", help="for a machine")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(no_args_is_help=True, help="The configuration: check it, or print its schema.")
    group.command("check", help="Validate the configuration, naming file, line and key.")(config_check)
    group.command("schema", help="Print the JSON Schema of tocsin.yaml.")(config_schema)
    app.add_typer(group, name="config")
    app.command(help="Print the Slack app manifest (JSON) that fits the configuration.")(manifest)
    app.command(help="Check everything Tocsin stands on: a line each, and the mend.")(doctor)


def config_check(context: typer.Context) -> None:
    """Say which file was read and that it is fine, or fail with its mistakes."""
    from bot.settings import read_settings
    from bot.wiring.tools import cross_check, doubts

    settings = read_settings(context.obj)
    for doubt in doubts(settings):
        say(f"WARN  {doubt}")
    mistakes = cross_check(settings)
    if mistakes:
        raise Failure("\n".join(f"{settings.file or 'the defaults'}: {mistake}" for mistake in mistakes))
    say(f"{settings.file}: fine." if settings.file else "No tocsin.yaml: the defaults hold, and they are fine.")


def config_schema() -> None:
    """Print the schema."""
    from bot.settings import Config

    say_json(Config.model_json_schema(mode="validation"))


def manifest(
    context: typer.Context,
    http: Annotated[bool, typer.Option("--http", help="for HTTP mode, even if SLACK_APP_TOKEN is set")] = False,
    socket: Annotated[bool, typer.Option("--socket", help="for Socket Mode, even without SLACK_APP_TOKEN")] = False,
) -> None:
    """Print the manifest: Socket Mode unless a public URL was set and no app token."""
    from bot.render.slack.manifest import manifest as build
    from bot.settings import read_settings

    settings = read_settings(context.obj)
    over_http = http or (not socket and not settings.env.slack_app_token and bool(settings.env.public_url))
    say_json(build(public_url=settings.public_url, socket_mode=not over_http))


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Print a line for each check; exit 1 if one failed."""
    from bot.settings import BadSettings, read_settings
    from bot.wiring.doctor import examine
    from bot.wiring.findings import Finding

    try:
        settings = read_settings(context.obj)
    except BadSettings as exc:
        findings = [Finding("config", "FAIL", str(exc), "mend it, then: tocsin config check")]
    else:
        findings = asyncio.run(examine(settings))
    if as_json:
        say_json([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            mend = f" → {finding.mend}" if finding.mend and finding.level != "OK" else ""
            say(f"{finding.level:<4}  {finding.check:<14} {finding.detail}{mend}")
    failed = sum(1 for finding in findings if finding.level == "FAIL")
    if failed:
        raise Failure(f"{failed} checks failed; each line above says how to mend it")
