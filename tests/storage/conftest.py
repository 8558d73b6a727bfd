"""One process on a fresh database of each kind."""

from collections.abc import AsyncIterator

import pytest

from tests.storage.house import House, open_house


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A process on a fresh database."""
    async with open_house(database_url) as opened:
        yield opened
