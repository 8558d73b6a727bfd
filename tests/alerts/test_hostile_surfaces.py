"""Whatever an alert says, wherever it is shown: nobody is rung, nothing foreign is a link, nothing runs, all fits."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain.effects import Tell
from bot.domain.policy import Policy
from bot.domain.postmortem import compile_postmortem
from bot.domain.runbook_match import Shelf as Runbooks
from bot.inbound.alerts import SOURCES
from bot.render.postmortem import postmortem_html, postmortem_json, postmortem_markdown
from bot.render.slack import legal, replies
from bot.render.slack.answers import query_text
from bot.render.slack.message import Message
from bot.render.slack.renderer import Renderer
from bot.usecases.alerts import ReportBatch
from bot.usecases.cases import Request
from bot.usecases.explaining import explain
from bot.usecases.tracing import trace
from tests.inbound.web.house import House, Shelf
from tests.inbound.web.test_statuspage import Tags
from tests.render.slack_cases import surroundings
from tests.support.alerts import body, scenario, wire
from tests.support.unseen import SAMPLES, unseen

OURS = re.compile(r"<!date\^\d+\^[^<>|]+\|[\d: -]+ UTC>|<@U0ANNA>|<#C0001>|<https?://[^\s<>|]+(\|[^<>]*)?>")
COMPUTED = "36042"
"""What `{{ 6007*6 }}` would come to: if it stands anywhere, a template ran."""
AROUND = surroundings()
TEXTS = AROUND.texts
RENDER = Renderer(AROUND)
POLICY = Policy()


def lived(raw: bytes) -> Shelf:
    """An incident that this delivery opened, acknowledged, with a draft for the public, and resolved."""
    shelf = Shelf(POLICY)
    batch = SOURCES["alertmanager"].parse(raw, {})
    shelf._keep(ReportBatch(Request("alert:alertmanager"), batch, POLICY, Runbooks()).run(shelf.loaded, shelf.now))
    shelf.episode_rows = list(shelf.loaded.episodes.values())
    if 1 in shelf.loaded.incidents:
        state = shelf.loaded.incidents[1]
        shelf.do(1, c.RoomOpened("C0001", state.room_name), "tocsin")
        shelf.do(1, c.Acknowledge())
        shelf.do(1, c.DraftPublic(""))
    return shelf


def must_be_inert(message: Message) -> None:
    """As Slack would read it."""
    if message.blocks:
        legal.check(message.blocks)
    for kind, text in [("mrkdwn", message.text), *texts_of(message.blocks)]:
        assert COMPUTED not in text
        assert unseen(text) == []
        if kind == "plain_text":
            assert "<" not in text
        else:
            must_close_its_code(text)
            for found in re.findall(r"<[^>]*>?", text):
                assert OURS.fullmatch(found), found


def must_close_its_code(text: str) -> None:
    """What one alert leaves open would take in whatever stands after it."""
    pieces = re.split("`{3,}", text)
    assert len(pieces) % 2 == 1, text
    for line in "".join(pieces[::2]).split("\n"):
        assert line.count("`") % 2 == 0, line


def texts_of(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, list):
        return [found for part in value for found in texts_of(part)]
    if not isinstance(value, dict):
        return []
    own = [(value["type"], value["text"])] if value.get("type") in ("mrkdwn", "plain_text") else []
    # Else Slack itself would make mentions and links of what is none yet: @channel, #general, a@b.example.
    assert value.get("type") != "mrkdwn" or value["verbatim"] is True
    urls = [("plain_text", "")] if "url" not in value else _must_be_web(value["url"])
    return own + urls + [found for part in value.values() for found in texts_of(part)]


def _must_be_web(url: str) -> list[tuple[str, str]]:
    assert url.startswith(("http://", "https://"))
    return []


def must_be_harmless_html(page: str) -> None:
    """As a browser would read it."""
    for tag, attributes in Tags(page).seen:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        assert not (attributes.get("href") or "").lower().startswith(("javascript:", "data:", "file:")), tag
        if tag in ("script", "img", "iframe"):
            assert (attributes.get("src") or "").startswith("/assets/"), tag
    shown = page.partition("</head>")[2] or page
    assert COMPUTED not in shown
    assert unseen(shown) == []


class _Current:
    """The reader of the one web door: whatever incident is looked at now."""

    shelf: Shelf

    def __getattr__(self, name: str) -> Any:
        return getattr(self.shelf, name)


class Pages:
    """The web door, opened once: compiling its templates takes longer than looking at a page."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._current = _Current()
        self._current.shelf = Shelf(POLICY)
        self._house = runner.run(self._open())

    async def _open(self) -> House:
        house = await House(POLICY, reader=self._current).__aenter__()  # type: ignore[arg-type]
        await house.sign_in()
        return house

    def look(self, shelf: Shelf) -> None:
        """See every page of the incident."""
        self._current.shelf = shelf
        for path in ("/incidents?show=all", "/incidents/1?timeline=all", "/incidents/1/postmortem"):
            must_be_harmless_html(self._runner.run(self._house.text(path)))

    def close(self) -> None:
        self._runner.run(self._house.__aexit__())


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    with asyncio.Runner() as runner:
        opened = Pages(runner)
        yield opened
        opened.close()


def look_everywhere(raw: bytes, pages: Pages) -> None:
    """Show it on every surface there is."""
    shelf = lived(raw)
    batch = SOURCES["alertmanager"].parse(raw, {})
    foreseen = explain(batch, POLICY, Runbooks(), None, shelf.now)
    must_be_inert(replies.looked_up("why", foreseen, TEXTS))
    assert unseen(query_text("why", foreseen, TEXTS, "cli")) == []
    if 1 not in shelf.loaded.incidents:
        return
    state, log = shelf.loaded.incidents[1], shelf.log[1]
    for what in ("card", "announcement", "draft", *(["alerts"] if "alerts" in _live() else [])):
        must_be_inert(RENDER.live(what, state))
    for item in log:
        if isinstance(item.event, e.AlertsReported | e.Acknowledged):
            must_be_inert(RENDER.tell(Tell(template=item.event.type, urgent=True), item, state))
    topic = RENDER.topic(state)
    assert len(topic) <= 250
    must_be_inert(Message(topic))
    assert re.fullmatch(r"[^\sA-Z<>&@!.,#\"'`|:;/\\]{1,80}", state.room_name), state.room_name
    told = trace(state, log, shelf.episode_rows, [])
    must_be_inert(replies.looked_up("why", told, TEXTS))
    pages.look(shelf)
    shelf.do(1, c.Resolve(""))
    document = compile_postmortem(shelf.loaded.incidents[1], shelf.log[1], [], shelf.episode_rows, POLICY)
    for public in (False, True):
        must_be_harmless_html(postmortem_html(document, TEXTS, str, public=public))
        markdown = postmortem_markdown(document, TEXTS, str, public=public)
        assert COMPUTED not in markdown
        assert not re.search(r"(?<!\\)\]\((?!https?:|/)", markdown), "a link that is none of ours"
        assert COMPUTED not in str(postmortem_json(document, public=public))


def _live() -> set[str]:
    from bot.render.slack import renderer

    return set(renderer._LIVE)


@pytest.mark.parametrize("number", range(8))
def test_a_recorded_hostile_alert_is_inert_on_every_surface(number: int, pages: Pages) -> None:
    look_everywhere(scenario("alertmanager", "hostile-text")[number].raw, pages)


_NASTY = st.sampled_from(
    [
        "<!channel>", "<!here|x>", "<@U0EVIL>", "<#C1|x>", "<!subteam^S1>", "<https://evil.example|status.example>",
        "{{ 6007*6 }}", "{% for x in y %}", "${6007*6}", "</script><script>alert(1)</script>", "<img src=x onerror=x>",
        "javascript:alert(1)", "data:text/html,x", "[x](javascript:x)", "`" * 7, "```x", "a`b",
        "``", "*_~", "&lt;!channel&gt;", "&",
        "\u202egpj.exe", "\u200b", "\u2066", "\x00", "\x01head\x02", "\n\n# x", "| a | b |", "x" * 3000, "💥" * 200,
        "https://ok.example/?a=1&b=<2>", "@channel", "@here", "#general", "a@b.example", "evil.example", "\ud83d",
        "\u200d" * 500, "👩\u200d👩", "\u3164" * 3, "e\u200c\u0301", *SAMPLES,
    ]
)  # fmt: skip
_TEXT = st.lists(_NASTY | st.text(max_size=20), min_size=0, max_size=4).map("".join)
_LABEL = st.sampled_from(["alertname", "service", "env", "instance", "team"]) | _TEXT
_NOTE = st.sampled_from(["summary", "description", "runbook_url", "dashboard_url", "message"]) | _TEXT


def _sendable(texts: dict[str, str]) -> dict[str, str]:
    """What can stand in a body of UTF-8."""
    return {k.encode("utf-8", "replace").decode(): v.encode("utf-8", "replace").decode() for k, v in texts.items()}


@given(
    labels=st.dictionaries(_LABEL, _TEXT, max_size=5),
    notes=st.dictionaries(_NOTE, _TEXT, max_size=5),
    url=_TEXT,
)
@settings(max_examples=25, deadline=None, phases=(Phase.generate,), suppress_health_check=[HealthCheck.too_slow])
def test_any_alert_is_inert_on_every_surface(
    labels: dict[str, str], notes: dict[str, str], url: str, pages: Pages
) -> None:
    item = wire() | {
        "labels": {"severity": "critical", **_sendable(labels)},
        "annotations": _sendable(notes),
        "generatorURL": url.encode("utf-8", "replace").decode(),
    }
    look_everywhere(body(item), pages)
