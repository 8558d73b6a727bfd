"""Before anything runs, the schema is looked at; what is wrong is said in one line that names the mend."""

from pathlib import Path

import pytest
from sqlalchemy import text

from bot.cli import run
from bot.settings import BadSettings
from bot.storage import schema
from bot.wiring.tools import require_schema


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'tocsin.db'}"


async def test_an_empty_database_is_refused_with_the_command_that_mends_it(url: str) -> None:
    with pytest.raises(BadSettings, match="run: tocsin migrate"):
        await require_schema(schema, url)


@pytest.mark.parametrize(("revision", "serves"), [(schema.NEWEST, True), ("0999", True), ("0000", False)])
async def test_a_newer_schema_is_served_and_an_older_one_is_not(url: str, revision: str, serves: bool) -> None:
    schema.migrate(url)
    schema._run(url, lambda conn: conn.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'")))
    if serves:
        await require_schema(schema, url)
    else:
        with pytest.raises(BadSettings, match="run: tocsin migrate"):
            await require_schema(schema, url)


def test_a_wrong_address_or_revision_ends_in_one_line(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN_DATABASE_URL", url)
    assert run(["migrate", "--to", "0999"]) == 1
    monkeypatch.setenv("TOCSIN_DATABASE_URL", "mysql://root:s3cret@db/x")
    assert run(["migrate"]) == 1
    assert run(["incident", "list"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert "'0999'" in said[0]
    assert all("must look like" in line and "s3cret" not in line for line in said[1:])
