"""What is on record for a case that is only to be explained: looked at beside a running `serve`, locking nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.ports.store import Keys, Loaded, Unavailable
from bot.settings import BadSettings, Settings
from bot.storage import schema
from bot.storage.address import BadAddress, read_address
from bot.storage.database import open_database


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What was found; without a database, why there is none to look at."""

    loaded: Loaded | None = None
    installation: str = ""
    unseen: str = ""


async def on_record(settings: Settings, keys_of: Callable[[str], Keys]) -> OnRecord:
    """Return what a case would see; its keys depend on which Tocsin this is. Makes no database. Raises BadSettings."""
    url = settings.env.database_url.get_secret_value()
    try:
        address = read_address(url)
    except BadAddress as exc:
        raise BadSettings(f"TOCSIN_DATABASE_URL: {exc}") from None
    if address.get_backend_name() == "sqlite" and not _is_there(address.database):
        return OnRecord(unseen="there is no database yet")
    try:
        if not await asyncio.to_thread(schema.is_current, url):
            return OnRecord(unseen="the database has not the schema this version needs (tocsin migrate)")
        async with open_database(url) as database:
            loaded = await database.foresee(keys_of(database.installation_id))
            return OnRecord(loaded, database.installation_id)
    except Unavailable:
        return OnRecord(unseen="the database cannot be reached (tocsin doctor)")


def _is_there(file: str | None) -> bool:
    """False for a file that looking would make."""
    return bool(file) and Path(file or "").exists()
