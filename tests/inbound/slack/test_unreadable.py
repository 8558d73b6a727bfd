"""A proxy's page, or anything else that is not Slack's, in the place of an answer: a call that failed, no more."""

from typing import Any

import pytest
from aiohttp import web

from bot.inbound.slack import SlackDirectory, Tasks
from tests.inbound.slack.conftest import FakeSlack, Workspace


def page(_: dict[str, Any]) -> web.Response:
    return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")


def a_list(_: dict[str, Any]) -> web.Response:
    return web.json_response(["ok"])


@pytest.fixture(params=[page, a_list])
def unreadable(request: pytest.FixtureRequest) -> Any:
    return request.param


async def test_a_form_that_does_not_open_is_offered_by_a_button(
    workspace: Workspace, slack: FakeSlack, unreadable: Any
) -> None:
    slack.answers["views.open"] = unreadable
    said = await workspace.type("declare")
    assert said
    assert "went wrong" not in said


async def test_what_the_directory_knew_it_goes_on_knowing(
    workspace: Workspace, slack: FakeSlack, unreadable: Any
) -> None:
    slack.answers["auth.test"] = {"url": "https://acme.slack.com/"}
    slack.answers["users.list"] = {"members": [{"id": "U1", "name": "ann", "profile": {}}]}
    slack.answers["usergroups.users.list"] = {"users": ["U1"]}
    directory = SlackDirectory(workspace.door._counter.client, Tasks(), ["S1"])
    await directory.fetch()
    for method in ("users.list", "usergroups.users.list"):
        slack.answers[method] = unreadable
        await directory.fetch()
        await directory.fetch_usergroups()
    assert (directory.find("ann"), directory.members("S1")) == ("U1", {"U1"})
