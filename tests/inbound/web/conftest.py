"""The house that the web door's tests open."""

from collections.abc import AsyncIterator

import pytest

from bot.domain.policy import Policy
from tests.inbound.web.house import House

POLICY = Policy.model_validate(
    {
        "organization": {"name": "Acme", "timezone": "Europe/Berlin"},
        "services": {"checkout": {"components": ["Checkout"]}, "search": {"components": ["Search"]}},
        "statuspage": {
            "components": [
                {"name": "Checkout", "group": "Shop", "description": "Cart and payment"},
                {"name": "Search", "group": "Shop"},
                {"name": "API"},
            ]
        },
    }
)


@pytest.fixture
def policy() -> Policy:
    return POLICY


@pytest.fixture
async def house(policy: Policy) -> AsyncIterator[House]:
    async with House(policy) as house:
        yield house
