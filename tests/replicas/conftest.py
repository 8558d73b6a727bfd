"""One PostgreSQL that keeps what it confirmed, for the whole folder."""

from collections.abc import Iterator

import pytest

from tests.support import programs
from tests.support.postgres import Cluster


@pytest.fixture(scope="session")
def durable() -> Iterator[Cluster]:
    """A cluster that can be stopped as by a power cut: fsync is on."""
    if programs.postgres_bin() is None:
        pytest.skip(programs.POSTGRES_MISSING)
    with Cluster(durable=True) as cluster:
        yield cluster
