"""Signed delivery: everything that Slack sends is answered, everything that it did not send is refused."""

import json
import time
from pathlib import Path

import pytest

from tests.inbound.slack.conftest import Workspace

FILES = ("slash_commands", "block_actions", "view_submission", "events", "messages", "shortcuts")
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("name", FILES)
async def test_every_recorded_request_is_answered_with_200(
    workspace: Workspace, slack_fixtures: Path, name: str
) -> None:
    for request in json.loads((slack_fixtures / f"{name}.json").read_text(encoding="utf-8"))["requests"]:
        kind = dict(request["headers"])["Content-Type"]
        body = request["body"].replace("https%3A%2F%2Fhooks.slack.com", "http%3A%2F%2F127.0.0.1%3A1")
        before = time.monotonic()
        status, answer = await workspace.post(body, kind)
        assert (status, request["name"]) == (200, request["name"])
        assert time.monotonic() - before < 1, request["name"]
        assert "went wrong" not in str(answer), request["name"]
        await workspace.settle()


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=junk;é"},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "1790000000"},
        {"X-Slack-Request-Timestamp": "9" * 400},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": "1e9"},
    ],
)
async def test_junk_in_the_signature_headers_is_refused(workspace: Workspace, headers: dict[str, str]) -> None:
    status, _ = await workspace.post("command=%2Fincident&text=ack", FORM, headers)
    assert status == 401
    assert workspace.office.store.tables.incidents[1].acknowledged_at is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\xfe\x00", "application/json"),
        (b"{broken", "application/json"),
        (b"payload=%7Bbroken", FORM),
        (b"[]", "application/json"),
        (b"", "application/json"),
        (b"\x00", FORM),
        (b'{"type": "event_callback"}', "application/json"),
        (b'{"type": "event_callback", "event": {}}', "application/json"),
        (b'{"type": "event_callback", "event": {"type": "message", "message": 3}}', "application/json"),
        (b'payload={"type": "block_actions"}', FORM),
        (b'payload={"type": "block_actions", "actions": []}', FORM),
        (b'payload={"type": "view_submission", "view": {}}', FORM),
    ],
)
async def test_a_signed_body_that_makes_no_sense_is_never_a_bare_500(
    workspace: Workspace, body: bytes, kind: str
) -> None:
    status, _ = await workspace.post(body, kind)
    assert status in (200, 400, 401)


async def test_the_address_answers_slacks_challenge(workspace: Workspace) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c4"})
    status, answer = await workspace.post(body, "application/json")
    assert status == 200
    assert answer == {"challenge": "c4"}
