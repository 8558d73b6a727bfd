"""Told to stop, nobody new is let in, and who is inside gets an answer."""

import asyncio
import json

import pytest
from aiohttp import web

from bot.domain.policy import Policy
from bot.inbound.web import HealthStatus
from bot.inbound.web.doorkeeper import Doorkeeper
from bot.ports.stop import Stop
from tests.inbound.web.house import House


async def neighbour(request: web.Request) -> web.Response:
    return web.Response(text="not yours")


@pytest.fixture
def stop() -> Stop:
    return Stop()


async def test_a_house_that_stops_refuses_in_words_and_says_when_to_come_again(policy: Policy, stop: Stop) -> None:
    def share(app: web.Application) -> None:
        app.router.add_get("/neighbour", neighbour)

    async with House(policy, doorkeeper=Doorkeeper(stop), more=share) as house:
        await house.text("/health/ready")
        stop.tell()
        for path, kind in (("/health/ready", "json"), ("/metrics", "json"), ("/status", "html")):
            answer = await house.client.get(path, headers={"Accept": f"*/{kind}, text/{kind}"})
            said = await answer.text()
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5"), path
            assert answer.headers["Connection"] == "close", "the next request asks somebody else"
            assert "being stopped or restarted. Nothing was changed." in said
            assert answer.headers["X-Request-Id"] in said
        assert json.loads(await house.text("/health/live"))["status"] == "ok"
        assert await house.text("/neighbour") == "not yours"
        await house.text("/nowhere", 404)


async def test_who_is_inside_is_waited_for_but_not_for_ever(policy: Policy, stop: Stop) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def check() -> tuple[HealthStatus, str]:
        asked.set()
        await may_answer.wait()
        return "ok", "answers"

    doorkeeper = Doorkeeper(stop)
    async with House(policy, checks={"database": check}, doorkeeper=doorkeeper) as house:
        await doorkeeper.all_answered(5)  # nobody is inside
        inside = asyncio.create_task(house.client.get("/health/database"))
        await asked.wait()
        stop.tell()
        await doorkeeper.all_answered(0.01)
        assert not inside.done()
        leaving = asyncio.create_task(doorkeeper.all_answered(5))
        may_answer.set()
        await leaving
        assert (await inside).status == 200
