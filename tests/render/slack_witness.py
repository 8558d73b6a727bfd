"""Slack's own library as a witness: it parses what we made, and finds nothing to object to (ADR 0011)."""

from collections.abc import Sequence
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block, InputBlock


def objections(blocks: Sequence[dict[str, Any]]) -> list[str]:
    """Return what `slack_sdk.models` has against `blocks`, as far as it knows their limits."""
    found = []
    for n, block in enumerate(blocks):
        try:
            # Block.parse does not know inputs of messages; their own class does.
            parsed = (
                InputBlock(**{k: v for k, v in block.items() if k != "type"}) if _is_input(block) else _parse(block)
            )
            parsed.to_dict()
        except (SlackObjectFormationError, TypeError, ValueError, KeyError, AttributeError) as exc:
            found.append(f"blocks[{n}]: {exc!r}")
    return found


def _is_input(block: dict[str, Any]) -> bool:
    return block.get("type") == "input"


def _parse(block: dict[str, Any]) -> Block:
    parsed = Block.parse(block)
    if parsed is None or type(parsed) is Block:
        raise ValueError("the library does not know it")
    return parsed
