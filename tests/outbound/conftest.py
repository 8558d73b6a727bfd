"""One shared client session, as in the running bot, and one simulated workspace."""

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio

from tests.outbound.slack_office import Office, open_office


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest_asyncio.fixture
async def office() -> AsyncIterator[Office]:
    async with open_office() as opened:
        yield opened
