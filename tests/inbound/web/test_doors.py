"""Around every page: errors in words, request ids, headers, files, health and metrics."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import structlog
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from bot.domain.policy import Policy
from bot.inbound.patience import in_time
from bot.inbound.web import REQUEST_ID, HealthStatus, login
from bot.inbound.web import health as health_door
from tests.inbound.web.house import House, fine


async def ill() -> tuple[HealthStatus, str]:
    return "down", "refused"


async def slow() -> tuple[HealthStatus, str]:
    return "degraded", "412 wait"


async def broken() -> tuple[HealthStatus, str]:
    raise RuntimeError("postgresql://tocsin:hunter2@db/tocsin")


@pytest.mark.parametrize(
    ("database", "slack", "path", "status", "word"),
    [
        (fine, fine, "/health", 200, "ok"),
        (fine, slow, "/health", 200, "degraded"),
        (fine, ill, "/health", 200, "degraded"),
        (ill, fine, "/health", 503, "down"),
        (broken, fine, "/health", 503, "down"),
        (ill, ill, "/health/live", 200, "ok"),
        (fine, ill, "/health/ready", 200, "ok"),
        (ill, fine, "/health/ready", 503, "down"),
        (fine, ill, "/health/slack", 503, "down"),
        (fine, slow, "/health/slack", 200, "degraded"),
        (ill, fine, "/health/database", 503, "down"),
        (ill, fine, "/health/delivery", 200, "ok"),
    ],
)
async def test_health_tells_which_part_is_ill(
    policy: Policy, database: health_door.HealthCheck, slack: health_door.HealthCheck, path: str, status: int, word: str
) -> None:
    """Slack being away degrades us; only without the database is there no use in sending requests."""
    async with House(policy, checks={"database": database, "slack": slack, "delivery": fine}) as house:
        told = json.loads(await house.text(path, status))
        assert told["status"] == word
        assert "hunter2" not in json.dumps(told)
        if path == "/health":
            assert set(told["checks"]) == {"database", "slack", "delivery"}


async def test_a_check_that_never_answers_counts_as_down(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent() -> tuple[HealthStatus, str]:
        await asyncio.Event().wait()
        return "ok", ""

    monkeypatch.setattr(health_door, "PATIENCE", 0.01)
    async with House(policy, checks={"database": silent}) as house:
        told = json.loads(await house.text("/health/ready", 503))
        assert told["checks"]["database"]["detail"] == "no answer within 0.01 s"


async def test_metrics_count_and_measure(house: House) -> None:
    house.meters.committed(3, 0.004)
    house.meters.commanded("slash", "declare", "done", 0.02)
    house.meters.received("alertmanager", "opened", 0.03)
    house.meters.delivered("tell", "retry", 0.1)
    house.meters.breached("sev1")
    found = samples(await house.text("/metrics"))
    assert found["tocsin_incidents_open", "sev1"] == 2
    assert found["tocsin_incidents_open", "sev4"] == 0
    assert found["tocsin_effects_waiting",] == 3
    assert found["tocsin_effects_failed",] == 1
    assert found["tocsin_effects_oldest_waiting_seconds",] == 7
    assert found["tocsin_timers_armed",] == 4
    assert found["tocsin_committed_cases_total",] == 3
    assert found["tocsin_commit_seconds_count",] == 1
    assert found["tocsin_command_seconds_count", "slash", "done", "declare"] == 1
    assert found["tocsin_webhook_seconds_count", "opened", "alertmanager"] == 1
    assert found["tocsin_deliveries_total", "tell", "retry"] == 1
    assert found["tocsin_response_breaches_total", "sev1"] == 1
    assert found["tocsin_build_info", "1.2.3"] == 1
    assert found["tocsin_store_up",] == 1


async def test_metrics_answer_while_the_database_is_down(house: House) -> None:
    house.shelf.down = True
    assert samples(await house.text("/metrics"))["tocsin_store_up",] == 0


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def explode(request: web.Request) -> web.Response:
    raise RuntimeError("boom xoxb-1-secret")


async def small(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(text=structlog.contextvars.get_contextvars()["request_id"])


@pytest.fixture
async def odd(policy: Policy):  # type: ignore[no-untyped-def]
    """A house in which other doors misbehave."""

    def more(app: web.Application) -> None:
        app.router.add_get("/boom", explode)
        app.router.add_get("/api/boom", explode)
        app.router.add_post("/small", small)

    async with House(policy, more=more) as house:
        yield house


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/nowhere", 404, "Not found"),
        ("DELETE", "/status", 405, "Not like this"),
        ("POST", "/small", 413, "Too large"),
        ("GET", "/boom", 500, "Something broke"),
    ],
)
async def test_every_error_is_in_words_with_an_id_to_quote(
    odd: House, method: str, path: str, status: int, title: str
) -> None:
    answer = await odd.client.request(method, path, data=large(method), headers={"Accept": "text/html"})
    text = await answer.text()
    assert (answer.status, answer.content_type) == (status, "text/html")
    assert f"<h1>{title}</h1>" in text
    assert answer.headers["X-Request-Id"] in text
    assert "boom" not in text
    answer = await odd.client.request(method, path, data=large(method), headers={"Accept": "application/json"})
    told = await answer.json()
    assert (answer.status, told["error"]) == (status, title)
    assert told["request_id"] == answer.headers["X-Request-Id"]


def large(method: str) -> io.BytesIO | None:
    return io.BytesIO(b"x" * (2**20 + 1)) if method == "POST" else None


async def test_paths_of_machines_answer_json_whatever_they_accept(odd: House) -> None:
    for path, status in (("/api/boom", 500), ("/api/v1/nothing", 404), ("/webhooks/nothing", 404)):
        answer = await odd.client.get(path, headers={"Accept": "text/html"})
        assert (answer.status, answer.content_type) == (status, "application/json")


async def test_a_method_that_is_not_allowed_says_which_are(house: House) -> None:
    answer = await house.client.delete("/status")
    assert answer.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é", "<script>", "a;b"])
async def test_an_odd_request_id_is_replaced(odd: House, given: str) -> None:
    answer = await odd.client.post("/small", headers={"X-Request-Id": given})
    assert re.fullmatch("[0-9a-f]{20}", answer.headers["X-Request-Id"])


async def test_a_good_request_id_is_kept_and_bound_to_the_log(odd: House) -> None:
    answer = await odd.client.post("/small", headers={"X-Request-Id": "deploy-4711:a/b"})
    assert (answer.headers["X-Request-Id"], await answer.text()) == ("deploy-4711:a/b", "deploy-4711:a/b")
    assert structlog.contextvars.get_contextvars() == {}
    assert REQUEST_ID


@pytest.mark.parametrize("path", ["/status", "/login", "/nowhere"])
async def test_pages_forbid_what_they_do_not_need(house: House, path: str) -> None:
    answer = await house.client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "aiohttp" not in answer.headers["Server"]


@pytest.mark.parametrize("path", ["/status", "/health", "/metrics", "/login"])
async def test_head_answers_like_get_without_a_body(house: House, path: str) -> None:
    answer = await house.client.head(path)
    assert (answer.status, await answer.read()) == (200, b"")


async def test_files_are_named_by_content_and_kept_for_ever(house: House) -> None:
    body = await house.text("/status")
    for kind, path in re.findall(r'(?:href|src)="(/assets/[a-z]+\.[0-9a-f]{12}\.(css|js|svg))"', body):
        answer = await house.client.get(kind)
        assert answer.status == 200, path
        assert "immutable" in answer.headers["Cache-Control"]
    assert len(re.findall('"/assets/', body)) == 3
    assert (await house.client.get("/assets/site.css")).status == 404
    assert (await house.client.get("/assets/..%2Fbase.html")).status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": 'tocsin_session="; x=%00; =;;;'},
        {"Cookie": "tocsin_session=" + "A" * 6000},
        {"If-None-Match": 'rubbish, "x'},
        {"Accept-Encoding": "x" * 1000},
    ],
)
async def test_junk_headers_harm_nothing(house: House, headers: dict[str, str]) -> None:
    for path, status in (("/status", 200), ("/incidents", 303), ("/nowhere", 404)):
        assert (await house.client.get(path, headers=headers, allow_redirects=False)).status == status


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe=\x80", "application/x-www-form-urlencoded"),
        (b"token=x", "application/x-www-form-urlencoded; charset=klingon"),
        (b"--x\r\nrubbish", "multipart/form-data; boundary=x"),
        (b"rubbish", "multipart/form-data"),
        (b"{}", "application/json"),
        (b"", "text/plain"),
        (b"a=b&" * 100, "application/x-www-form-urlencoded"),
    ],
)
async def test_a_junk_form_is_refused_in_words(house: House, body: bytes, kind: str) -> None:
    answer = await house.client.post("/login", data=body, headers={"Content-Type": kind})
    assert answer.status in (400, 401), await answer.text()
    assert "<h1>" in await answer.text()


async def test_a_body_that_never_arrives_is_not_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "in_time", partial(in_time, patience=0.05))
    over = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"token="
        await over.wait()

    answer = await house.client.post("/login", data=body())
    over.set()
    assert answer.status == 408
    assert "<h1>" in await answer.text()


async def test_a_broken_template_of_ones_own_still_ends_in_words(policy: Policy, tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "error.html").write_text("{{ nonsense.of.mine }}")
    async with House(policy, templates=tmp_path) as house:
        answer = await house.client.get("/nowhere", headers={"Accept": "text/html"})
        assert (answer.status, (await answer.json())["error"]) == (404, "Not found")
