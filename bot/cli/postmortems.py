"""`tocsin postmortem N`."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.cli.output import Failure, say


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(help="Compile the postmortem of an incident.")(postmortem)


def postmortem(
    context: typer.Context,
    number: Annotated[str, typer.Argument(metavar="N", help="7 or INC-7")],
    form: Annotated[Literal["md", "html", "json"], typer.Option("--format")] = "md",
    public: Annotated[bool, typer.Option("--public", help="only what may be shown to everyone")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="write it there instead of printing it")] = None,
) -> None:
    """Print it, or write it to a file."""
    from bot.cli.incidents import number_of

    text = asyncio.run(_compile(context.obj, number_of(number), form, public))
    if out is None:
        say(text.rstrip("\n"))
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise Failure(f"{out}: cannot be written: {exc.strerror}") from exc
    say(f"Written to {out}.")


async def _compile(config: Path | None, number: int, form: str, public: bool) -> str:
    from bot.render.postmortem import postmortem_html, postmortem_json, postmortem_markdown
    from bot.wiring.tools import open_tools

    async with open_tools(config) as tools:
        document = await tools.postmortem(number)
        if public and document.private:
            raise Failure(f"{document.key} is private; nothing of it may be public")
        if form == "json":
            return json.dumps(postmortem_json(document, public=public), ensure_ascii=False, indent=2)
        render = postmortem_markdown if form == "md" else postmortem_html
        return render(document, tools.texts, tools.name, public=public)
