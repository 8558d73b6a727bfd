"""`tocsin doctor` tries Alertmanager's API, where silences are placed."""

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.settings import Config, Environment, Settings, Webhooks
from bot.wiring.alertmanager_checks import answers


async def looked(url: str, token: str = "") -> tuple[str, str, str]:
    config = Config(webhooks=Webhooks.model_validate({"alertmanager": {"url": url}}))
    env = Environment().model_copy(update={"alertmanager_api_token": SecretStr(token) if token else None})
    async with aiohttp.ClientSession() as http:
        (found,) = await answers(Settings(env, config, None), http)
    return found.level, found.detail, found.mend


async def test_it_says_which_version_answers_and_what_to_set_if_none_does() -> None:
    async def status(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer s3cret":
            return web.Response(status=401)
        return web.json_response({"versionInfo": {"version": "0.28.1"}})

    app = web.Application()
    app.router.add_get("/api/v2/status", status)
    async with TestServer(app) as server:
        url = str(server.make_url("/"))
        level, detail, _ = await looked(url, "s3cret")
        assert (level, "0.28.1" in detail) == ("OK", True)
        level, _, mend = await looked(url, "wrong")
        assert level == "FAIL"
        assert "TOCSIN_ALERTMANAGER_API_TOKEN" in mend
        level, detail, mend = await looked(f"{url}elsewhere")
        assert (level, "HTTP 404" in detail) == ("FAIL", True)
        assert "webhooks.alertmanager.url" in mend


async def test_one_that_is_not_there_or_not_set_is_said_so() -> None:
    assert (await looked("http://127.0.0.1:1"))[0] == "FAIL"
    level, detail, _ = await looked("")
    assert level == "OK"
    assert "webhooks.alertmanager.url" in detail


@pytest.mark.parametrize("url", ["alertmanager:9093", "ftp://x", "http://user:pw@am.example", "http://"])
def test_an_address_that_is_none_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        Webhooks.model_validate({"alertmanager": {"url": url}})
