"""On SQLite, whoever delivers knows whether somebody else does: what a killed process held is not waited for."""

from pathlib import Path

import pytest

from bot.storage.presence import SUFFIX
from tests.storage.house import House, open_house
from tests.support.databases import migrate

LOST = "a-container/0123456789ab:1:99-abcd"


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'tocsin.db'}"
    migrate(url)
    return url


async def held(house: House) -> list[str]:
    """Let somebody claim what there is to do."""
    await house.open()
    await house.database.claim(LOST, 50, house.clock())
    return await house.database.holders()


async def test_who_is_alone_knows_that_all_who_held_something_are_gone(file_url: str) -> None:
    async with open_house(file_url) as house:
        assert await held(house) == [LOST]
        async with house.database.attending() as gone:
            assert gone == {LOST}


async def test_of_those_who_may_still_deliver_nothing_is_known(file_url: str) -> None:
    async with open_house(file_url) as house, open_house(file_url) as other:
        await held(house)
        async with house.database.attending():
            async with other.database.attending() as gone:
                assert gone == frozenset()
            async with other.database.attending() as gone:  # the first is still there, though it is no longer alone
                assert gone == frozenset()
        async with other.database.attending() as gone:
            assert gone == {LOST}


async def test_on_a_server_of_which_everybody_may_be_a_client_nothing_is_known(house: House) -> None:
    await held(house)
    async with house.database.attending() as gone:
        assert gone == (frozenset() if house.database._backend.file is None else {LOST})


async def test_where_no_lock_can_be_had_leases_end_by_themselves(file_url: str, tmp_path: Path) -> None:
    (tmp_path / f"tocsin.db{SUFFIX}").mkdir()
    async with open_house(file_url) as house:
        await held(house)
        async with house.database.attending() as gone:
            assert gone == frozenset()
