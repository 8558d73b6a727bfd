"""Printing for people and for machines."""

import json
import sys
from datetime import datetime
from typing import Any

import typer

from bot.domain.moments import rfc3339


class Failure(Exception):
    """Something failed; the text says what, and how to mend it."""


def fail(text: str) -> int:
    """Print one line on stderr; return the exit status of a refusal."""
    print(f"tocsin: {' '.join(text.split()) if len(text) < 400 else text}", file=sys.stderr)  # noqa: T201
    return 1


def say(text: str = "") -> None:
    """Print a line for a person."""
    typer.echo(text)


def say_json(data: Any) -> None:
    """Print JSON for a machine."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


def table(rows: list[list[str]], head: list[str]) -> None:
    """Print a plain table that survives pipes: columns padded, no colours."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
