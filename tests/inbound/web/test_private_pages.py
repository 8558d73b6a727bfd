"""The private pages: who gets in, what stays hidden, and that words are only words."""

import json
import re
from datetime import timedelta

import pytest
from pydantic import SecretStr

from bot.domain import commands as c
from bot.domain.alerts import Episode
from bot.domain.events import Step
from bot.domain.policy import Policy
from bot.domain.record import Entry, Observation
from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity
from bot.inbound.web import Sessions, Viewer, session_secret
from bot.ports.reader import DeliveryRow, TimerRow
from tests.inbound.web.house import START, House, Library
from tests.inbound.web.test_statuspage import HOSTILE, harmless

PRIVATE_PATHS = ["/incidents", "/incidents/1", "/incidents/1/postmortem", "/runbooks/disk-full"]
BOOK = Runbook(
    name="disk-full",
    title="Disk full",
    digest="d",
    severity=Severity.SEV2,
    steps=(Step(number=1, section="Diagnosis", text="Look at `df -h`"),),
    sections={
        "Symptoms": f"{HOSTILE} [x](javascript:alert(5)) [other](service-api-down.md) <script>alert(6)</script>",
        "Diagnosis": "1. Look.\n\n   ```sh\n   df -h {{ labels.mountpoint }}\n   ```\n\n"
        "   Expect: room.\n   If not: make some.",
    },
)


@pytest.fixture
async def signed(house: House) -> House:
    await house.sign_in()
    return house


@pytest.mark.parametrize("path", ["/login", *PRIVATE_PATHS])
async def test_with_no_token_configured_they_do_not_exist(policy: Policy, path: str) -> None:
    async with House(policy, tokens=()) as house:
        house.shelf.declare("x")
        await house.text(path, 404)


@pytest.mark.parametrize("path", PRIVATE_PATHS)
async def test_a_stranger_is_asked_to_sign_in_and_comes_back(house: House, path: str) -> None:
    house.shelf.declare("Secret plans")
    answer = await house.client.get(path, allow_redirects=False)
    assert (answer.status, "Secret" in await answer.text()) == (303, False)
    form = await house.text(answer.headers["Location"])
    assert f'name="next" value="{path}"' in form
    asked = await house.client.post("/login", data={"token": "ann:s3cret", "next": path}, allow_redirects=False)
    assert asked.headers["Location"] == path


async def test_a_machine_is_refused_in_its_language(house: House) -> None:
    house.shelf.declare("x")
    answer = await house.client.get("/incidents", headers={"Accept": "application/json"})
    assert (answer.status, (await answer.json())["error"]) == (401, "Sign in first")


@pytest.mark.parametrize("token", ["", "ann", "ann:", "s3cret", "ann:S3CRET", "ann:s3cret:private", "boss:s3cret"])
async def test_a_wrong_token_is_refused(house: House, token: str) -> None:
    answer = await house.client.post("/login", data={"token": token}, allow_redirects=False)
    assert (answer.status, "Set-Cookie" in answer.headers) == (401, False)
    assert "not known here" in await answer.text()
    assert (await house.client.get("/incidents", allow_redirects=False)).status == 303


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/a\nb"]
)
async def test_signing_in_never_leads_elsewhere(house: House, target: str) -> None:
    answer = await house.client.post("/login", data={"token": "ann:s3cret", "next": target}, allow_redirects=False)
    assert answer.headers["Location"] == "/incidents"


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(policy: Policy) -> None:
    for url, secure in (("http://127.0.0.1:8080", False), ("https://tocsin.example", True)):
        async with House(policy, public_url=url) as house:
            answer = await house.client.post("/login", data={"token": "ann:s3cret"}, allow_redirects=False)
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
            assert ("Secure" in cookie) is secure
            assert "s3cret" not in cookie


async def test_a_form_from_another_site_is_refused(house: House) -> None:
    for path in ("/login", "/logout"):
        answer = await house.client.post(path, data={"token": "ann:s3cret"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status == 403


async def test_signing_out_ends_it(signed: House) -> None:
    await signed.text("/incidents")
    await signed.client.post("/logout")
    assert (await signed.client.get("/incidents", allow_redirects=False)).status == 303


async def test_a_session_ends_after_twelve_hours(signed: House) -> None:
    signed.shelf.wait(hours=11.9)
    await signed.text("/incidents")
    signed.shelf.wait(hours=0.2)
    assert (await signed.client.get("/incidents", allow_redirects=False)).status == 303


@pytest.mark.parametrize("cookie", ["", ".", "x", "x.y", "é.ü", "e30.AAAA", "%%%.%%%"])
def test_a_forged_cookie_is_nobody(cookie: str) -> None:
    sessions = Sessions(lambda: b"k" * 32, lambda: START)
    good = sessions.issue(Viewer("ann"))
    assert sessions.read({"tocsin_session": good}) == Viewer("ann")
    body, _, signature = good.partition(".")
    other = Sessions(lambda: b"o" * 32, lambda: START).issue(Viewer("ann", private=True))
    for forged in (cookie, f"{other.partition('.')[0]}.{signature}", f"{body}.", other):
        assert sessions.read({"tocsin_session": forged}) is None


def test_replicas_share_the_key_and_a_changed_token_makes_another() -> None:
    tokens = [SecretStr("ann:a"), SecretStr("ben:b")]
    assert session_secret(tokens, "i") == session_secret(tokens[::-1], "i")
    assert session_secret(tokens, "i") != session_secret(tokens[:1], "i")
    assert session_secret([], "i") != session_secret([], "i")


async def test_a_login_link_works_once_and_not_for_long(policy: Policy) -> None:
    async with House(policy, tokens=(), demo=True) as house:
        assert house.links is not None
        house.shelf.declare("Only for members", private=True)
        used, late = house.links.create("you"), house.links.create("you")
        await house.client.head(used)
        assert "Only for members" in await house.text(used)
        await house.client.post("/logout")
        assert "used already" in await house.text(used, 401)
        house.shelf.wait(minutes=10)
        await house.text(late, 401)
        assert "printed in its terminal" in await house.text("/login")


async def test_a_private_incident_looks_like_a_missing_one(house: House) -> None:
    house.shelf.declare("Open to all")
    house.shelf.declare("Behind closed doors", private=True)
    await house.sign_in("ann:s3cret")
    assert "Behind closed doors" not in await house.text("/incidents?show=all")
    missing = await house.text("/incidents/99", 404)
    for path in ("/incidents/2", "/incidents/INC-2", "/incidents/2/postmortem", "/incidents/2/postmortem?format=md"):
        hidden = await house.text(path, 404)
        assert re.sub(r"<code>.*?</code>", "", hidden) == re.sub(r"<code>.*?</code>", "", missing)
    for token in ("boss:t0psecret:private", "boss:t0psecret"):
        await house.client.post("/logout")
        await house.sign_in(token)
        assert "Behind closed doors" in await house.text("/incidents")
        assert "Private" in await house.text("/incidents/2")


async def test_the_list_shows_open_ones_or_all(signed: House) -> None:
    first = signed.shelf.declare("Long gone")
    signed.shelf.do(first, c.Resolve("fixed"))
    signed.shelf.declare("Still here")
    assert "Long gone" not in await signed.text("/incidents")
    body = await signed.text("/incidents?show=all")
    assert body.index("Still here") < body.index("Long gone")
    assert "Long gone" in await signed.text("/incidents?show=all&before=2")
    await signed.text("/incidents?before=rubbish")


async def test_an_empty_list_says_what_to_do(signed: House) -> None:
    assert "/incident declare" in await signed.text("/incidents")


def furnish(house: House) -> int:
    shelf = house.shelf
    number = shelf.declare("Checkout is down", service="checkout", runbook=BOOK)
    shelf.do(number, c.RoomOpened("C1", "inc-1-checkout-is-down"), "tocsin")
    shelf.wait(minutes=2, seconds=7)
    shelf.do(number, c.Acknowledge(), "U0BEN")
    shelf.do(number, c.AssignRole("lead", "U0BEN"), "U0BEN")
    shelf.timer_rows = [
        TimerRow(number, "respond", START, "fired", START, 0.4),
        TimerRow(number, "update", shelf.now + timedelta(minutes=30), "armed"),
    ]
    shelf.delivery_rows = [
        DeliveryRow("1.1.1", number, "open_room", "done", 1, START, None, ""),
        DeliveryRow("1.1.2", number, "invite", "failed", 3, START, None, "user_not_found: U0GONE"),
    ]
    shelf.episode_rows = [
        Episode(
            id="e", source="alertmanager", fingerprint="f", incident=number, group="g", name="HighErrorRate",
            labels={"env": "prod"}, annotations={"summary": "5xx"}, url="https://prom.example/g",
            opened_at=START, last_seen=START,
        )
    ]  # fmt: skip
    said = Observation(kind="message", key="k", channel="C1", ts="1.2", user="U0ANNA", text="ask <@U0BEN>")
    shelf.seen[number] = [Entry(seq=1, at=shelf.now, actor="U0ANNA", observation=said)]
    return number


async def test_one_incident_as_it_stands(signed: House) -> None:
    """People by name, timers with how late, alerts with labels, failed deliveries with the reason, the timeline."""
    number = furnish(signed)
    body = await signed.text(f"/incidents/INC-{number}")
    for told in (
        "Checkout is down",
        "Ben Ortiz, after 2m 7s",
        "#inc-1-checkout-is-down",
        "0.4 s late",
        "in 30m",
        '<a href="https://prom.example/g"',
        "env=prod",
        "user_not_found: U0GONE",
        "1 done, 1 not.",
        '<a href="/runbooks/disk-full">',
        "0 of 1 steps",
        "<code>df -h</code>",
        "Anna Berg wrote: ask Ben Ortiz",
        'href="https://acme.slack.example/C1/1.2"',
        '<time datetime="2026-03-14T09:02:07Z" data-style="clock">14 Mar 09:02:07</time>',
    ):
        assert told in body, told
    assert "U0BEN" not in body


async def test_a_long_timeline_is_cut_until_asked_for(signed: House) -> None:
    number = signed.shelf.declare("x")
    signed.shelf.seen[number] = [
        Entry(
            seq=n,
            at=START + timedelta(seconds=n),
            actor="U0ANNA",
            observation=Observation(kind="message", key=str(n), channel="C1", ts=f"{n}.0", text=f"message-{n};"),
        )
        for n in range(1, 401)
    ]
    body = await signed.text(f"/incidents/{number}")
    assert "message-400;" in body
    assert "message-1;" not in body
    assert "message-1;" in await signed.text(f"/incidents/{number}?timeline=all")


async def test_the_postmortem_as_page_markdown_and_json(signed: House) -> None:
    number = furnish(signed)
    signed.shelf.do(number, c.AddTask("Limit the pool", owner="U0ANNA", due_in=timedelta(days=3)))
    signed.shelf.do(number, c.Resolve("Rolled back 4711"))
    body = await signed.text(f"/incidents/{number}/postmortem")
    for told in ("Rolled back 4711", "Limit the pool", "A person is never the cause", "Ben Ortiz", "?format=md"):
        assert told in body, told
    for heading in ("summary", "key-times", "timeline", "where-we-were-lucky", "review"):
        assert f'id="{heading}"' in body
        assert f'href="#{heading}"' in body
    answer = await signed.client.get(f"/incidents/{number}/postmortem?format=md")
    assert answer.content_type == "text/markdown"
    assert (await answer.text()).startswith("# INC-1: Checkout is down")
    data = json.loads(await signed.text(f"/incidents/{number}/postmortem?format=json"))
    assert data["resolution"] == "Rolled back 4711"


async def test_a_runbook_is_a_page_in_which_nothing_runs(policy: Policy) -> None:
    async with House(policy, library=Library(BOOK)) as house:
        await house.sign_in()
        body = await house.text("/runbooks/disk-full")
        harmless(body)
        assert "<h1>Disk full</h1>" in body
        assert '<code class="language-sh">df -h {{ labels.mountpoint }}' in body
        assert 'href="/runbooks/service-api-down"' in body
        assert "room.<br>" in body
        await house.text("/runbooks/none", 404)
        await house.text("/runbooks/..%2F..%2Fetc%2Fpasswd", 404)


async def test_hostile_words_stay_words_on_every_private_page(signed: House) -> None:
    shelf = signed.shelf
    number = shelf.declare(
        HOSTILE[:180], description=HOSTILE, severity_reason=HOSTILE, service="checkout", runbook=BOOK
    )
    shelf.do(number, c.RoomOpened("C1", "<script>alert(1)</script>"), "tocsin")
    shelf.do(number, c.AddNote(HOSTILE))
    shelf.do(number, c.AddTask(HOSTILE[:200]))
    shelf.do(number, c.DraftPublic(HOSTILE))
    shelf.do(number, c.Acknowledge(), "cli:<script>alert(1)</script>")
    shelf.delivery_rows = [DeliveryRow("1", number, "tell", "failed", 1, START, None, HOSTILE)]
    shelf.episode_rows = [
        Episode(
            id="e", source="x<script>", fingerprint="f", incident=number, group="g", name=HOSTILE,
            labels={"<script>": HOSTILE}, annotations={"summary": HOSTILE}, url="javascript:alert(1)",
            opened_at=START, last_seen=START, why=HOSTILE,
        )
    ]  # fmt: skip
    said = Observation(kind="message", key="k", channel="C1", ts="1.2", text=HOSTILE, files=("<img src=x>",))
    shelf.seen[number] = [Entry(seq=1, at=START, actor="U0<b>", observation=said)]
    shelf.do(number, c.Resolve(HOSTILE))
    for path in ("/incidents?show=all", f"/incidents/{number}", f"/incidents/{number}/postmortem"):
        harmless(await signed.text(path))
