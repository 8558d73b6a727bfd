"""The table of methods, held against Slack's own facts in the shared fixtures."""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

import jsonschema
import pytest

from bot.simulator import limits
from bot.simulator.webapi.methods import METHODS
from tests.simulator.conftest import MANIFEST, fixture

# Slack takes these as required although its machine-read page does not mark them, or the reverse.
REQUIRED_HERE = {
    "bookmarks.add": {"channel_id"},
    "bookmarks.edit": {"channel_id", "bookmark_id"},
    "bookmarks.list": {"channel_id"},
    "bookmarks.remove": {"channel_id", "bookmark_id"},
}
# An empty topic or purpose clears it.
OPTIONAL_HERE = {"conversations.setTopic": {"topic"}, "conversations.setPurpose": {"purpose"}}
# https://docs.slack.dev/apis/web-api and pages newer than the fixture's reading of them.
EVERYWHERE = {"invalid_arguments", "missing_scope", "channel_not_found", "not_in_channel"}
EVERYWHERE |= {"user_not_found", "invalid_limit", "invalid_cursor", "message_not_found"}
EXTRA = {"msg_too_long", "is_archived", "too_many_pins", "too_many_bookmarks"}


def facts() -> dict[str, Any]:
    """Return the fixture's methods."""
    methods: dict[str, Any] = fixture("methods.json")["methods"]
    return methods


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_takes_the_arguments_scopes_and_tier_of_its_page(name: str) -> None:
    """Nothing is invented, nothing required is forgotten."""
    fact, method = facts()[name], METHODS[name]
    required = {a for a, about in fact["args"].items() if about["required"]}
    required = (required | REQUIRED_HERE.get(name, set())) - OPTIONAL_HERE.get(name, set())
    assert set(method.required.split()) == required
    assert method.arguments - {"mrkdwn"} <= set(fact["args"])
    assert set(method.scopes.split()) <= set(fact["bot_scopes"])
    assert bool(method.scopes) == bool(fact["bot_scopes"])
    assert method.tier == fact["tier"] or name in ("chat.postMessage", "auth.test")
    assert method.tier in limits.TIERS


def codes_raised(function: Any) -> set[str]:
    """Return the error codes that a function names itself."""
    tree = ast.parse(inspect.getsource(function))
    return {
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "SlackError"
        and isinstance(node.args[0], ast.Constant)
    }


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_refuses_with_codes_of_its_page(name: str) -> None:
    """Each code a handler names stands on the page, or is common to all methods."""
    unknown = codes_raised(METHODS[name].handler) - set(facts()[name]["errors"])
    assert unknown <= EVERYWHERE | EXTRA


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_handler_names_its_documentation_page(name: str) -> None:
    """The docstring is the address."""
    page = f"https://docs.slack.dev/reference/methods/{name}"
    assert inspect.getdoc(METHODS[name].handler) == page


def test_every_limit_has_its_source() -> None:
    """No number without a page in the comment above it."""
    source = inspect.getsource(limits)
    for part in re.split(r"\n(?=# )", source.split("import Mapping", 1)[1]):
        if re.search(r"^[A-Z_]+\b.*=", part, re.MULTILINE):
            assert "https://" in part or "same page" in part, part


def test_the_tests_manifest_is_a_manifest() -> None:
    """It follows Slack's own schema."""
    jsonschema.validate(MANIFEST, fixture("manifest.schema.2.0.0.json"))
