"""The postmortem as Markdown or JSON. (The page is in `templates/web/`, from the same document.)"""

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from markupsafe import Markup

from bot.domain.moments import rfc3339
from bot.domain.people import mention
from bot.domain.postmortem import Postmortem
from bot.render.texts import Texts

Names = Callable[[str], str]
"""An actor (`U…`, `cli:ann`) → a name for readers."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!])")
_PUBLIC_TIMES = ("Impact began", "Resolved")
_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,20})>")


def markdown_text(value: object) -> str:
    """Return hostile text as inline Markdown that shows exactly it: escaped, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(value).split()))


def with_names(text: str, names: Names) -> str:
    """Return `text` with `<@U…>` replaced by names."""
    return _MENTION.sub(lambda found: names(found[1]), text)


def utc_text(at: datetime | None) -> str:
    """Return `2026-03-14 09:12:30`, in UTC; `not known` for None."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at else "not known"


def postmortem_markdown(document: Postmortem, texts: Texts, names: Names, *, public: bool = False) -> str:
    """Return the document as Markdown; `public` takes the sections of the allow-list only."""
    template = "postmortem/public.md.j2" if public else "postmortem/postmortem.md.j2"
    return texts.plain(
        template,
        pm=document,
        md=lambda text: markdown_text(with_names(str(text), names)),
        person=lambda actor: markdown_text(names(actor)),
        utc=utc_text,
        mention=mention,
    )


def postmortem_json(document: Postmortem, *, public: bool = False) -> dict[str, Any]:
    """Return the document as JSON-safe data; times RFC 3339 UTC, spans in seconds."""
    data: dict[str, Any] = _plain(asdict(document))
    if public:
        # the same allow-list as templates/postmortem/public.md.j2: the internal title is not in it
        said = [{name: update[name] for name in ("at", "status", "title", "text")} for update in data["public_updates"]]
        times = [time for time in data["times"] if time["name"] in _PUBLIC_TIMES]
        return {"title": said[0]["title"] if said else "", "times": times, "public_updates": said}
    for span, source in zip(data["spans"], document.spans, strict=True):
        span["text"] = source.text
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def postmortem_html(document: Postmortem, texts: Texts, names: Names, *, public: bool = False) -> str:
    """Return the document as one HTML page that needs nothing else: for mail, a wiki, an archive."""
    markdown = postmortem_markdown(document, texts, names, public=public)
    import nh3  # a start need not wait for these two
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    safe = Markup(nh3.clean(body))  # noqa: S704 - our own Markdown, sanitised
    return texts.html("postmortem/page.html.j2", title=f"{document.key} postmortem", body=safe)
