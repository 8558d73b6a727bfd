"""The app manifest against Slack's own data: its schema, and the scopes that each method asks for."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.render.slack.manifest import SCOPES, manifest
from tests.conftest import ROOT

_NAMED = re.compile(r'"((?:auth|bookmarks|chat|conversations|pins|reactions|usergroups|users|views)\.[a-zA-Z.]+)"')
_CALLED = re.compile(r"client\.([a-z]+_[a-z_]+)\(")


@pytest.fixture(scope="module")
def methods(slack_fixtures: Path) -> dict[str, Any]:
    """Slack's methods by name."""
    found: dict[str, Any] = json.loads((slack_fixtures / "methods.json").read_text())["methods"]
    return found


@pytest.mark.parametrize("socket_mode", [True, False])
def test_the_manifest_follows_slacks_schema(slack_fixtures: Path, socket_mode: bool) -> None:
    schema = json.loads((slack_fixtures / "manifest.schema.2.0.0.json").read_text())
    jsonschema.validate(manifest(public_url="https://tocsin.example.com", socket_mode=socket_mode), schema)


_NO_METHOD = ("api_call", "send_socket_mode_response")
"""Calls on a client that name no method of the Web API by themselves."""


def test_every_method_that_is_called_has_a_scope_that_allows_it(methods: dict[str, Any]) -> None:
    """Read from the source, so that a new call without its scope fails here and not in somebody's workspace."""
    called = set()
    for door in ("outbound", "inbound"):
        for file in (ROOT / "bot" / door / "slack").rglob("*.py"):
            source = file.read_text()
            called |= set(_NAMED.findall(source))
            called |= {name.replace("_", ".") for name in _CALLED.findall(source) if name not in _NO_METHOD}
    assert {"auth.test", "chat.postMessage", "users.list", "views.open"} <= called
    for name in sorted(called):
        needed = set(methods[name]["bot_scopes"])
        assert not needed or needed & set(SCOPES), name
