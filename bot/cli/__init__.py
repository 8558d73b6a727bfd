"""The command line: parse, submit one command or query, print. Exit 0 done, 1 refused or failed, 2 bad usage."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.loading import loading
from bot.cli.output import Failure, fail


def _app() -> typer.Typer:
    from bot.cli import auditing, checks, explaining, incidents, postmortems, runbooks, servers

    app = typer.Typer(
        name="tocsin",
        help="The incident bot that responders trust more than the systems it watches.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def _options(
        context: typer.Context,
        config: Annotated[
            Path | None,
            typer.Option("--config", metavar="FILE", help="tocsin.yaml; else TOCSIN_CONFIG, else ./tocsin.yaml"),
        ] = None,
    ) -> None:
        context.obj = config

    servers.add_to(app)
    checks.add_to(app)
    incidents.add_to(app)
    postmortems.add_to(app)
    runbooks.add_to(app)
    explaining.add_to(app)
    auditing.add_to(app)
    return app


def run(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status. Never shows a traceback to the person."""
    with loading():
        import structlog

        from bot.domain.refusals import Refused
        from bot.ports.store import Unavailable
        from bot.settings import BadSettings

        app = _app()
    if not structlog.is_configured():  # what a command prints may be read by a machine; a server has a log of its own
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    try:
        app(args=arguments, prog_name="tocsin")
    except SystemExit as done:  # how typer ends: 0, or 2 for bad usage
        return done.code if isinstance(done.code, int) else 1
    except Refused as refused:
        from bot.render.slack.answers import refusal_text

        return fail(refusal_text(refused, "cli"))
    except (BadSettings, Failure) as wrong:
        return fail(str(wrong))
    except Unavailable as gone:
        if gone.uncertain:
            return fail(f"not known whether it was saved: {gone}. Look first (tocsin incident list), then try again")
        return fail(f"the database did not take it: {gone}. Nothing was saved; try again, or run: tocsin doctor")
    except (KeyboardInterrupt, BrokenPipeError):
        sys.stderr.close()  # nobody reads us any more; keep the interpreter from saying so
        return 130
    return 0
