"""A process that starts goes on at once with what its predecessor held, if that is surely gone."""

from pathlib import Path

from tests.faults.site import ROOM, open_site
from tests.storage.house import open_house
from tests.support.databases import migrate

LEASE = 600.0
"""Seconds: far longer than anybody waits here."""


async def test_a_container_that_is_started_anew_on_its_file_waits_for_no_lease(tmp_path: Path) -> None:
    """Its predecessor was a process of another namespace, of whose numbers nothing is known."""
    url = f"sqlite:///{tmp_path / 'tocsin.db'}"
    migrate(url)
    async with open_house(url, lease=LEASE) as before:
        await before.open()
        assert await before.database.claim("a-container/0123456789ab:1:99-abcd", 50, before.clock())
    async with open_site(tmp_path) as site:
        await site.until(lambda state: state.room is not None)
        assert site.channel(ROOM)
