"""What `tocsin doctor` says of the usergroups that permissions name."""

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.settings import Config, Environment, Settings
from bot.wiring.doctor import _usergroups

MEMBERS = {"S0FULL": ["U0001"], "S0EMPTY": []}


async def members(request: web.Request) -> web.Response:
    group = str((await request.post())["usergroup"])
    if group not in MEMBERS:
        return web.json_response({"ok": False, "error": "no_such_subteam"})
    return web.json_response({"ok": True, "users": MEMBERS[group]})


async def levels(*groups: str) -> list[tuple[str, str]]:
    app = web.Application()
    app.router.add_post("/usergroups.users.list", members)
    async with TestServer(app) as slack, aiohttp.ClientSession() as http:
        env = Environment.model_validate({"SLACK_API_URL": str(slack.make_url("/"))})
        config = Config.model_validate({"permissions": {"close": groups, "admin": ["U0001"]}})
        found = await _usergroups(Settings(env, config, None), http, {})
    assert all(one.mend or one.level == "OK" for one in found)
    return [(one.level, one.detail) for one in found]


async def test_a_usergroup_that_slack_does_not_know_is_named_and_so_is_an_empty_one() -> None:
    assert await levels("S0FULL", "S0GONE", "S0EMPTY") == [
        ("WARN", "nobody is in usergroup S0EMPTY"),
        ("FAIL", "usergroup S0GONE: no_such_subteam"),
    ]


async def test_known_usergroups_are_fine_and_without_any_nothing_is_asked() -> None:
    assert await levels("S0FULL") == [("OK", "1 usergroups known")]
    assert await levels() == []
