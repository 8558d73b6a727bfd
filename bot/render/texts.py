"""All texts come from `templates/`; a folder of the user's may override any of them by name.

One escaping door per medium: `html()` escapes by Jinja's autoescape, `mrkdwn()` escapes every value for Slack,
`plain()` (Markdown, command line) escapes nothing and is never shown in a browser or in Slack unescaped.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.domain.text import clean

_LONGEST = 40_000
"""Characters of one value; Slack's own limit for a whole message."""
_BLANKS = " \n"
TICK: Final = "ˋ"
"""Looks like a back-tick and opens no code."""
_FENCES = re.compile("`{3,}")
_SINGLE = re.compile("(?<!`)`{1,2}(?!`)")


class Safe(str):
    """Slack mrkdwn that was built by us and is not to be escaped again."""


def escape_mrkdwn(value: object) -> str:
    """Return `value` as Slack text: hidden characters removed, `&`, `<` and `>` escaped, unless it is Safe.

    Source: https://docs.slack.dev/messaging/formatting-message-text/ (escaping text). With `<` gone, no mention,
    channel ring, link or date can be made; nor is code left open, which would take in what stands after it.
    """
    return value if isinstance(value, Safe) else _escaped(str(value), close_code)


def escape_code(value: object) -> str:
    """Return `value` as it may stand within a fence of ours."""
    return value if isinstance(value, Safe) else _escaped(str(value), str)


def _escaped(text: str, ready: Callable[[str], str]) -> str:
    inner = ready(clean(text, _LONGEST)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if not inner:
        return text if not text.strip(_BLANKS) else ""
    # Cleaning strips blanks at the ends; in the midst of a sentence they belong to it.
    return text[: len(text) - len(text.lstrip(_BLANKS))] + inner + text[len(text.rstrip(_BLANKS)) :]


def close_code(text: str) -> str:
    """Return `text` with look-alikes for back-ticks that open code and do not end it."""
    if "`" not in text:
        return text
    if len(_FENCES.findall(text)) % 2:
        text = _FENCES.sub(lambda run: TICK * len(run[0]), text)
    outside = _FENCES.split(text)[::2]
    if any(line.count("`") % 2 for piece in outside for line in piece.split("\n")):
        text = _SINGLE.sub(lambda run: TICK * len(run[0]), text)
    return text


class Texts:
    """The templates, from the user's folder first."""

    def __init__(self, *folders: Path, filters: Mapping[str, Callable[..., Any]] | None = None) -> None:
        loader = FileSystemLoader([str(folder) for folder in folders])
        shared: dict[str, Any] = {
            "loader": loader,
            "undefined": StrictUndefined,
            "trim_blocks": True,
            "lstrip_blocks": True,
        }
        self._html = ImmutableSandboxedEnvironment(autoescape=select_autoescape(default=True), **shared)
        self._mrkdwn = ImmutableSandboxedEnvironment(autoescape=False, finalize=escape_mrkdwn, **shared)
        self._plain = ImmutableSandboxedEnvironment(autoescape=False, **shared)
        for environment in (self._html, self._mrkdwn, self._plain):
            environment.filters.update(filters or {})

    def warm_mrkdwn(self, folder: str) -> None:
        """Compile the templates below `folder` now, for Slack: the first message need not wait for it (60 ms)."""
        for name in self._mrkdwn.list_templates(filter_func=lambda name: name.startswith(folder)):
            with suppress(TemplateError):  # whoever renders a broken one says so; `doctor` names it
                self._mrkdwn.get_template(name)

    def html(self, name: str, **values: Any) -> str:
        """Render `name` for a browser or a feed."""
        return self._html.get_template(name).render(values)

    def mrkdwn(self, name: str, **values: Any) -> Safe:
        """Render `name` for Slack."""
        return Safe(self._mrkdwn.get_template(name).render(values).strip())

    def plain(self, name: str, **values: Any) -> str:
        """Render `name` as text or Markdown."""
        return self._plain.get_template(name).render(values)
