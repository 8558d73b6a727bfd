"""What `tocsin doctor` says of PagerDuty's webhooks."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.settings import Config, Environment, Settings
from bot.wiring import pagerduty_checks

TOKEN = "u+token"


def settings(retention: Any = None, **env: str) -> Settings:
    values: dict[str, Any] = {"TOCSIN_PAGERDUTY_WEBHOOK_SECRETS": "one,two", **env}
    return Settings(Environment(**values), Config.model_validate({"retention": retention or {}}), None)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def pagerduty() -> AsyncIterator[str]:
    async def users(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Token token={TOKEN}":
            return web.json_response({}, status=401)
        return web.json_response({"users": [{"email": "Bot@example.com"}, {"email": None}, 7]})

    app = web.Application()
    app.router.add_get("/users", users)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


def test_the_signing_secrets_are_counted() -> None:
    assert [(one.level, one.detail) for one in pagerduty_checks.incoming(settings())] == [("OK", "2 signing secrets")]


def test_what_nothing_could_be_made_of_is_named_by_its_source() -> None:
    (found,) = pagerduty_checks.kept({"pagerduty": 3})
    assert (found.check, found.level) == ("pagerduty in", "WARN")
    assert found.detail.startswith("3 deliveries")
    assert pagerduty_checks.kept({}) == []


@pytest.mark.parametrize(
    ("token", "sender", "level", "word"),
    [
        (TOKEN, "bot@example.com", "OK", "bot@example.com"),
        (TOKEN, "nobody@example.com", "FAIL", "no user nobody@example.com"),
        ("wrong", "bot@example.com", "FAIL", "HTTP 401"),
        ("", "bot@example.com", "WARN", "is not told"),
        (TOKEN, "", "WARN", "is not told"),
    ],
)
async def test_whether_pagerduty_can_be_told_is_tried(
    http: aiohttp.ClientSession, pagerduty: str, token: str, sender: str, level: str, word: str
) -> None:
    env = {"PAGERDUTY_API_TOKEN": token, "PAGERDUTY_FROM": sender, "PAGERDUTY_API_URL": pagerduty}
    (found,) = await pagerduty_checks.answers(settings(**env), http)
    assert (found.level, word in found.detail) == (level, True)
    assert level == "OK" or found.mend
    assert TOKEN not in str(found)


async def test_a_pagerduty_that_is_not_there_is_named(http: aiohttp.ClientSession) -> None:
    env = {"PAGERDUTY_API_TOKEN": TOKEN, "PAGERDUTY_FROM": "a@b.c", "PAGERDUTY_API_URL": "http://127.0.0.1:1"}
    (found,) = await pagerduty_checks.answers(settings(**env), http)
    assert found.level == "FAIL"
