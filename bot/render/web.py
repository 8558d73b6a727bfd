"""What the pages need beside their templates: times, people, links and Markdown as safe HTML."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from bot.domain.durations import format_duration
from bot.domain.people import mention
from bot.domain.text import clean
from bot.render.postmortem import Names, with_names

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_URL = re.compile(r"https?://[^\s<>\"'`|\\^{}\[\]]+", re.IGNORECASE)
_URL_TAIL = ".,;:!?)*_~"
_RUNBOOK_LINK = re.compile(r"^(?:\./)?([A-Za-z0-9][\w.-]*)\.md(#[\w-]*)?$")
_TAGS: Final = {
    *("a", "blockquote", "br", "code", "del", "em", "hr", "li", "ol", "p", "pre", "strong", "ul"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "tbody", "td", "th", "thead", "tr"),
}
_SECTION_MAX: Final = 100_000
_STEP_LINE = re.compile(r"(?<!```)(?<!\s)\n([^\S\n]*(?:Expect|If not):)")
_LINK = "nofollow noopener noreferrer"


def http_url(url: str) -> str:
    """Return `url` if it is http(s) with a host, else an empty string: nothing else ever becomes a link."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme.lower() in ("http", "https") and parts.hostname else ""


def linked(text: object) -> Markup:
    """Return hostile text as HTML that shows it and no more: hidden characters gone, http(s) addresses as links."""
    return linked_part(clean(str(text)))


def linked_part(told: str) -> Markup:
    """Like `linked`, for a piece of a cleaned text: spaces at its ends are kept."""
    made, end = Markup(""), 0
    for found in _URL.finditer(told):
        url = found[0].rstrip(_URL_TAIL)
        if not http_url(url):
            continue
        made += escape(told[end : found.start()])
        made += Markup('<a href="{url}" rel="{rel}">{url}</a>').format(url=url, rel=_LINK)
        end = found.start() + len(url)
    return made + escape(told[end:])


def zulu(at: datetime) -> str:
    """Return `2026-03-14T09:12:30Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_tag(at: datetime | None, zone: tzinfo = UTC, *, style: str = "full") -> Markup:
    """Return `<time>` for `at`, readable without a script; the script adds the reader's own time.

    `style`: full (date, time, zone), clock (with seconds, UTC), or day. None gives a dash.
    """
    if at is None:
        return Markup("–")
    local = at.astimezone(zone)
    shown = {
        "full": f"{local.day} {local:%b %Y, %H:%M} {local:%Z}",
        "clock": f"{local.day} {local:%b %H:%M:%S}",
        "day": f"{local.day} {local:%b %Y}",
    }[style]
    return Markup('<time datetime="{at}" data-style="{style}">{shown}</time>').format(
        at=zulu(at), style=style, shown=shown
    )


def ago(at: datetime, now: datetime) -> str:
    """Return `5m ago`, `in 2h`, or `now`."""
    span = now - at
    if abs(span) < timedelta(seconds=1):
        return "now"
    if span < timedelta(0):
        return f"in {_rough(-span)}"
    return f"{_rough(span)} ago"


def _rough(span: timedelta) -> str:
    return format_duration(span) if span < timedelta(minutes=1) else format_duration(span).split(" ")[0]


def coded(text: object) -> Markup:
    """Return one line of text as HTML: what stands between back-ticks is code, the rest as in `linked`."""
    made = Markup("")
    for n, part in enumerate(clean(str(text)).split("`")):
        made += Markup("<code>{}</code>").format(part) if n % 2 else linked_part(part)
    return made


def runbook_html(source: str) -> Markup:
    """Return a section of a runbook as safe HTML.

    `Expect:` and `If not:` begin lines of their own; links to a runbook's file (`disk-full.md`) lead to its page.
    """
    import nh3  # a start need not wait for it

    clean_html = nh3.clean(
        _markdown().render(_STEP_LINE.sub(r"\\\n\1", clean(source, _SECTION_MAX))),
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}, "code": {"class"}},
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto"},
        link_rel=_LINK,
    )
    return Markup(clean_html)  # noqa: S704 - cleaned by nh3 in the line above


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # a start need not wait for it

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _attribute(tag: str, attribute: str, value: str) -> str | None:
    if tag == "a" and attribute == "href" and (found := _RUNBOOK_LINK.match(value)):
        return f"/runbooks/{found[1]}{found[2] or ''}"
    if attribute == "class":
        return value if value.startswith("language-") else None
    return value


def web_values(names: Names, zone: tzinfo, now: datetime) -> dict[str, Any]:
    """Return what every page's template may call: times, people, words, links. Local times are in `zone`."""

    def words(text: object) -> Markup:
        return linked(with_names(str(text), names))

    def person(actor: str | None) -> str:
        return clean(names(actor), 120) if actor else "nobody"

    made: dict[str, Callable[..., Any]] = {
        "when": lambda at: time_tag(at, zone),
        "clock": lambda at: time_tag(at, UTC, style="clock"),
        "day": lambda at: time_tag(at, zone, style="day"),
        "ago": lambda at: ago(at, now),
        "words": words,
        "plain": lambda text: clean(str(text), 500),
        "coded": coded,
        "person": person,
        "mention": lambda actor: words(mention(actor)),
        "span": format_duration,
        "url": http_url,
        "zulu": zulu,
    }
    return {**made, "now": now}
