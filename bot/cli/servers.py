"""`tocsin demo`, `serve`, `migrate`: what runs, and the schema it runs on."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.cli.loading import loading
from bot.cli.output import Failure, say


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(help="Tocsin and a Slack workspace in the browser: no account, no token, no other server.")(demo)
    app.command(help="The real thing: Slack, webhooks, web pages, delivery and timers in one process.")(serve)
    app.command(help="Bring the database schema up (or down).")(migrate)


def demo(
    context: typer.Context,
    port: Annotated[int, typer.Option(help="where the page is; taken: the next free one")] = 8080,
    fresh: Annotated[bool, typer.Option("--fresh", help="forget the earlier demo")] = False,
    no_open: Annotated[bool, typer.Option("--no-open", help="do not open a browser")] = False,
    only: Annotated[
        Literal["workspace", "bot"] | None, typer.Option(help="one half as its own process; the other is its --peer")
    ] = None,
    peer: Annotated[str | None, typer.Option(metavar="URL", help="where the other half is")] = None,
    data: Annotated[Path, typer.Option(metavar="DIR", help="where the demo keeps its two databases")] = Path(
        ".tocsin/demo"
    ),
) -> None:
    """Run the demo until Ctrl-C."""
    with loading(for_good=True):
        from bot.wiring.demo import DemoOptions, run_demo

    options = DemoOptions(port, fresh=fresh, browser=not no_open, only=only, peer=peer, data=data, config=context.obj)
    asyncio.run(run_demo(options, say))


def serve(context: typer.Context) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    with loading(for_good=True):
        from bot.settings import read_settings
        from bot.wiring.serving import run_server

    asyncio.run(run_server(read_settings(context.obj), say))


def migrate(
    context: typer.Context,
    to: Annotated[str, typer.Option(metavar="REV", help="a revision, or `head`, or `base`")] = "head",
    check: Annotated[bool, typer.Option("--check", help="only say whether the schema is current")] = False,
) -> None:
    """Migrate the database that TOCSIN_DATABASE_URL names."""
    from bot.settings import read_settings
    from bot.storage import schema

    url = read_settings(context.obj).env.database_url.get_secret_value()
    try:
        if check:
            if not schema.is_current(url):
                raise Failure("the database schema is not current; run: tocsin migrate")
            say("The schema is current.")
            return
        schema.migrate(url, to)
    except ValueError as exc:
        raise Failure(str(exc)) from None
    say(f"The schema is at {schema.current(url) or 'base'}.")
