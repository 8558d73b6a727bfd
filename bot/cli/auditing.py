"""`tocsin audit`: who asked for which change, and what was denied."""

import asyncio
from typing import Annotated

import typer

from bot.cli.output import say, say_json, table
from bot.domain.audit import Audited
from bot.domain.moments import rfc3339


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(help="Who asked for which change, from where, and what was denied; newest first.")(audit)


def audit(
    context: typer.Context,
    incident: Annotated[str, typer.Argument(metavar="[N]", help="only of this incident, 7 or INC-7")] = "",
    denied: Annotated[bool, typer.Option("--denied", help="only what was denied")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="for a machine")] = False,
) -> None:
    """Print the audit trail."""
    from bot.cli.incidents import number_of
    from bot.wiring.tools import open_tools

    number = number_of(incident) if incident else None

    async def look() -> list[Audited]:
        async with open_tools(context.obj) as tools:
            return await tools.reader.audit(limit=limit, incident=number, denied=denied)

    found = asyncio.run(look())
    if as_json:
        say_json(
            [
                {
                    "at": rfc3339(one.at),
                    "actor": one.actor,
                    "surface": one.surface,
                    "action": one.action,
                    "incident": f"INC-{one.incident}" if one.incident else None,
                    "outcome": one.outcome,
                    "reason": one.reason,
                    "request_id": one.request_id,
                }
                for one in found
            ]
        )
    elif not found:
        say("Nothing is on the trail.")
    else:
        rows = [
            [
                f"{one.at:%Y-%m-%d %H:%M:%S}",
                one.actor,
                one.surface,
                one.action,
                f"INC-{one.incident}" if one.incident else "-",
                one.outcome if not one.reason else f"{one.outcome}: {one.reason}",
                one.request_id,
            ]
            for one in found
        ]
        table(rows, ["when (UTC)", "who", "from", "what", "incident", "outcome", "request"])
