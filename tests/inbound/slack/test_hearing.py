"""Events by Socket Mode: acknowledged once they are recorded, left to be sent again if they were not."""

from unittest import mock

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.inbound.slack import hearing
from bot.inbound.slack.socket import Socket
from bot.ports.stop import Stop
from bot.ports.store import Unavailable


@pytest.mark.parametrize(
    ("outcome", "acknowledged"),
    [(None, True), (Unavailable("no database"), False), (KeyError("user"), True), (RuntimeError("ours"), False)],
)
async def test_an_event_is_acknowledged_unless_a_repeat_could_mend_it(
    outcome: Exception | None, acknowledged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = mock.AsyncMock(side_effect=outcome)
    monkeypatch.setattr(hearing, "EVENTS", {"message": heard})
    counter, client = mock.Mock(stop=Stop()), mock.AsyncMock()
    link = Socket(counter, AsyncApp(name="test", authorize=mock.AsyncMock()), "xapp-test")
    body = {"type": "event_callback", "event": {"type": "message", "text": "hello"}}
    await link.handle(client, SocketModeRequest(type="events_api", envelope_id="E1", payload=body))
    heard.assert_awaited_once_with(counter, body)
    await link.close_gently()
    answers = [call.args[0].envelope_id for call in client.send_socket_mode_response.await_args_list]
    assert answers == (["E1"] if acknowledged else [])


async def test_an_event_that_nobody_listens_to_is_acknowledged() -> None:
    client = mock.AsyncMock()
    link = Socket(mock.Mock(stop=Stop()), AsyncApp(name="test", authorize=mock.AsyncMock()), "xapp-test")
    body = {"type": "event_callback", "event": {"type": "emoji_changed"}}
    await link.handle(client, SocketModeRequest(type="events_api", envelope_id="E2", payload=body))
    await link.close_gently()
    client.send_socket_mode_response.assert_awaited_once()
