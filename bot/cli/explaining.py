"""`tocsin explain PAYLOAD.json`: what an alert would do, and why. Writes nothing."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.output import Failure, say, say_json

Json = Annotated[bool, typer.Option("--json", help="for a machine")]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(help="Dry run of an alert: route, severity and why, runbook, who is invited. Writes nothing.")(explain)


def explain(
    context: typer.Context,
    payload: Path,
    source: Annotated[str, typer.Option(help="alertmanager or pagerduty")] = "alertmanager",
    as_json: Json = False,
) -> None:
    """Print the trace, as if nothing were on record yet."""
    from bot.inbound.alerts import SOURCES
    from bot.inbound.alerts.reading import Unusable
    from bot.ports.clock import utc_now
    from bot.settings import read_settings
    from bot.usecases.alerts import explain as trace
    from bot.wiring.tools import open_library

    if source not in SOURCES:
        raise Failure(f"{source[:40]!r} is not a source; use one of: {', '.join(SOURCES)}")
    settings = read_settings(context.obj)
    try:
        batch = SOURCES[source].parse(payload.read_bytes(), {})
    except OSError as exc:
        raise Failure(f"{payload}: cannot be read: {exc.strerror}") from exc
    except Unusable as exc:
        raise Failure(f"{payload}: {exc}") from exc
    runbooks = asyncio.run(open_library(settings).fresh())
    found = trace(batch, settings.config, runbooks, None, utc_now())
    if as_json:
        say_json(found)
        return
    _print(found)


def _print(found: dict[str, Any]) -> None:
    say(f"{found['outcome']}: {found['reason']}")
    for alert in found["alerts"]:
        say("")
        for key, value in alert.items():
            if value not in (None, "", [], {}):
                say(f"  {key + ':':<20}{_words(value)}")
    for skipped in found["skipped"]:
        say(f"\n  skipped: {skipped['reason']}")
    for opened in found["opens"] if isinstance(found["opens"], list) else [found["opens"]]:
        if opened:
            say("\nWould open:")
            for key, value in opened.items():
                if value not in (None, "", [], {}):
                    say(f"  {key + ':':<20}{_words(value)}")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items())
    return ", ".join(_words(item) for item in value) if isinstance(value, list | tuple) else str(value)
