"""Slack's mrkdwn: everything that may become a mention, a link or a date is made here, and only here.

Source: https://docs.slack.dev/messaging/formatting-message-text/. What comes back as `Safe` is never escaped again.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

from bot.domain.durations import format_duration
from bot.domain.people import is_person, mention
from bot.domain.text import clean
from bot.render.texts import TICK, Safe, close_code, escape_code, escape_mrkdwn

DAY: Final = "{date_short_pretty}"
TIME: Final = "{time}"
MOMENT: Final = "{date_short_pretty} {time_secs}"
"""With seconds: response times may be as short as `2s`."""
MINUTE: Final = "{date_short_pretty} {time}"
"""What is on a full minute to the microsecond is planned: a handover, the end of an override."""

_CONVERSATION = re.compile(r"[CGD][A-Z0-9]{2,20}")
_USERGROUP = re.compile(r"S[A-Z0-9]{2,20}")
_REFERENCE = re.compile(r"<(?P<kind>[@#!]|!subteam\^)?(?P<target>[^<>|\s][^<>|]*)(?:\|(?P<label>[^<>]*))?>")
_BARE_URL = re.compile(r"https?://[^\s<>|`\"]+[^\s<>|`\".,;:!?)\]'*_~]")
_MARKDOWN = re.compile(
    r"(?P<code>`[^`\n]*`)|\[(?P<label>[^\[\]<>\n]{1,200})\]\((?P<page>[a-z0-9][a-z0-9_-]{0,99})\.md\)"
    r"|\*\*(?P<bold>[^*<>`\n]{1,300})\*\*"
)
_KEPT_IN_URL: Final = "/:?#[]@!$&'()*+,;=%~-._"
# Slack reads these as a style only where they begin or end a word: `node_load_1` stays as it is.
_STYLE = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])")
_LOOK_ALIKES: Final = {"*": "∗", "_": "ˍ", "~": "∼"}
ELLIPSIS: Final = "…"
FENCE: Final = "```"
_BAR: Final = ("▰", "▱")
_ACTORS: Final = {"tocsin": "Tocsin", "timer": "the timer", "alert": "an alert"}


def escape(value: object) -> Safe:
    """Return `value` as text that can neither ring nor link: cleaned of hidden characters, `&<>` escaped."""
    return Safe(escape_mrkdwn(value))


def words(value: object) -> Safe:
    """Return what a person wrote: inert like `escape`, but mentions read as names and http(s) addresses are links."""
    if isinstance(value, Safe):
        return value
    return _linked(close_code(_REFERENCE.sub(_named, clean(str(value), 40_000))), escape_mrkdwn)


def unstyled(value: object) -> Safe:
    """Like `words`, with no bold, italics, strike or code of its own: it stands within ours. For names and titles."""
    if isinstance(value, Safe):
        return value
    text = _REFERENCE.sub(_named, clean(str(value), 40_000))
    return _linked(text.replace("`", TICK), lambda piece: escape_mrkdwn(_STYLE.sub(_look_alike, piece)))


def _linked(text: str, rest: Callable[[str], str]) -> Safe:
    """Return `text` with its http(s) addresses as links, and `rest` of what stands between them."""
    pieces, at = [], 0
    for match in _BARE_URL.finditer(text):
        pieces += [rest(text[at : match.start()]), link(match[0])]
        at = match.end()
    return Safe("".join([*pieces, rest(text[at:])]))


def _look_alike(match: re.Match[str]) -> str:
    return _LOOK_ALIKES[match[0]]


def markdown(value: object, page: Callable[[str], str]) -> Safe:
    """Return one line of a runbook's Markdown: bold, and links to its neighbours (`page`: name → address).

    Links to anywhere else stay as they are written, with their address in sight: labels of an alert stand in these
    texts, and must not hide where they lead.
    """

    def made(match: re.Match[str]) -> str:
        if match["code"]:
            return match["code"]
        return link(page(match["page"]), _unescaped(match["label"])) if match["page"] else f"*{match['bold']}*"

    return Safe(_MARKDOWN.sub(made, words(value)))


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _named(match: re.Match[str]) -> str:
    """`<@U2|ben>` as Slack delivers it reads `@ben`; a link keeps its address."""
    kind, label = match["kind"] or "", match["label"] or ""
    if kind in ("@", "#", "!", "!subteam^"):
        sign = "#" if kind == "#" else "@"
        return sign + (label or match["target"]).lstrip("@#")
    if _is_web(match["target"]):
        return match["target"]
    return match[0]


def date(at: datetime, form: str = "") -> Safe:
    """Return a time that everyone reads in their own zone. The fallback says UTC."""
    at = at.astimezone(UTC)
    form = form or (MOMENT if at.second or at.microsecond else MINUTE)
    return Safe(f"<!date^{int(at.timestamp())}^{form}|{at:%Y-%m-%d %H:%M:%S} UTC>")


def time(at: datetime) -> Safe:
    """Return only the time of day."""
    return date(at, TIME)


def day(at: datetime) -> Safe:
    """Return only the day."""
    return date(at, DAY)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def web_address(url: str) -> str:
    """Return `url` if it is a plain http(s) address, percent-encoded so that nothing ends it early; else ''."""
    url = clean(url, 3000).strip()
    if not _is_web(url) or any(c.isspace() for c in url):
        return ""
    return quote(url, safe=_KEPT_IN_URL)


def link(url: str, label: object = "") -> Safe:
    """Return a link with a label; anything but http(s) stays text."""
    address = web_address(url)
    if not address:
        return escape(label or url)
    shown = escape_mrkdwn(label).replace("|", "¦").replace("\n", " ")
    target = address.replace("&", "&amp;")
    return Safe(f"<{target}|{shown}>" if shown else f"<{target}>")


def user(actor: str | None) -> Safe:
    """Return a person as a mention; other actors (`cli:ann`, `timer:respond`) in words."""
    if not actor:
        return Safe("nobody")
    if is_person(actor):
        return Safe(f"<@{actor}>")
    kind, _, name = actor.partition(":")
    if kind == "alert" and name:
        return Safe(f"{_ACTORS['alert']} ({escape(name)})")
    return Safe(_ACTORS[kind]) if kind in _ACTORS else escape(mention(actor))


def users(actors: Iterable[str]) -> Safe:
    """Return several people, each once."""
    return Safe(", ".join(user(actor) for actor in dict.fromkeys(actors)))


def usergroup(group: str) -> Safe:
    """Return a usergroup as a mention that rings its members."""
    return Safe(f"<!subteam^{group}>") if _USERGROUP.fullmatch(group) else escape(group)


def channel(conversation: str | None, name: str = "") -> Safe:
    """Return a channel as a link; without a valid id, its name."""
    if conversation and _CONVERSATION.fullmatch(conversation):
        return Safe(f"<#{conversation}>")
    return escape(f"#{name}" if name else "")


def duration(span: timedelta | float) -> str:
    """Return a span (a number is seconds) as people say it: `1h 3m`."""
    return format_duration(span if isinstance(span, timedelta) else timedelta(seconds=span))


def progress(done: int, of: int, width: int = 12) -> str:
    """Return a bar; full only when everything is done, empty only when nothing is."""
    filled = 0 if of <= 0 else max(done * width // of, 1 if done else 0)
    return _BAR[0] * filled + _BAR[1] * (width - filled)


def code(value: object) -> Safe:
    """Return `value` in code style, on one line."""
    text = clean(str(value)).replace("`", TICK).replace("\n", " ")
    return Safe(f"`{escape(text)}`") if text else Safe("")


def fence(value: object, limit: int = 2000) -> Safe:
    """Return `value` as a code block that it cannot end, at most `limit` characters with its fence."""
    text = re.sub("`{3,}", lambda run: " ".join(run[0]), clean(str(value)))
    room = limit - 2 * len(FENCE) - 2
    return Safe(f"{FENCE}\n{cut(escape_code(text), room)}\n{FENCE}")


def quoted(value: object) -> Safe:
    """Return what a person wrote as a quotation, every line of it."""
    return Safe("\n".join(f"> {line}" for line in words(value).split("\n")))


def plain(value: object, limit: int) -> str:
    """Return `value` for a plain_text object, on one line; look-alikes of `<>` leave nothing to parse."""
    text = " ".join(clean(str(value)).split()).replace("<", "‹").replace(">", "›")
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def cut(text: str, limit: int) -> Safe:
    """Return at most `limit` characters of mrkdwn, cut outside `&amp;` and `<…>`; an open code block is closed."""
    if len(text) <= limit:
        return Safe(text)
    closing = "\n" + FENCE
    head = _whole_pieces(text, limit - len(ELLIPSIS))
    if head.count(FENCE) % 2:
        head = _whole_pieces(text, limit - len(ELLIPSIS) - len(closing))
    return Safe(head.rstrip() + ELLIPSIS + (closing if head.count(FENCE) % 2 else ""))


def split(text: str, size: int) -> list[Safe]:
    """Return `text` in parts of at most `size` characters, broken at line ends or blanks where there are any."""
    parts: list[Safe] = []
    while len(text) > size:
        whole = _whole_pieces(text, size)
        at = max(whole.rfind("\n"), whole.rfind(" ") if "\n" not in whole[size // 2 :] else -1)
        head = whole[:at] if at > size // 2 and _balanced(whole[:at]) else whole
        if not head:
            break
        parts.append(Safe(head.rstrip()))
        text = text[len(head) :].lstrip()
    return [*parts, cut(text, size)] if text else parts


def _whole_pieces(text: str, size: int) -> str:
    """Return the longest start of `text` of at most `size` characters that splits no escape, link or fence."""
    head = text[: max(size, 0)]
    if not _balanced(head):
        head = head[: head.rfind("<")]
    escape_at = head.rfind("&")
    if escape_at >= 0 and ";" not in head[escape_at:]:
        head = head[:escape_at]
    if text[len(head) : len(head) + 1] == "`":
        ticks = len(head) - len(head.rstrip("`"))
        head = head[: len(head) - ticks % len(FENCE)]
    return head


def _balanced(text: str) -> bool:
    """True if `text` does not end within `<…>`."""
    return text.rfind("<") <= text.rfind(">")


VOCABULARY: Final[Mapping[str, Callable[..., Any]]] = {
    "channel": channel,
    "code": code,
    "date": date,
    "day": day,
    "duration": duration,
    "fence": fence,
    "link": link,
    "progress": progress,
    "quoted": quoted,
    "time": time,
    "unstyled": unstyled,
    "user": user,
    "usergroup": usergroup,
    "users": users,
    "words": words,
}
"""What templates may call."""
