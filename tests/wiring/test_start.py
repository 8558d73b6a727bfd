"""What a start loads, and what it leaves as it was."""

import gc
import subprocess
import sys

from bot.cli.loading import loading

HEAVY = ("alembic", "rich", "pygments", "asyncpg", "sqlalchemy.ext.asyncio")
"""Needed by other commands, by PostgreSQL, or by nothing of ours."""


def test_a_server_on_sqlite_starts_without_what_it_does_not_need() -> None:
    code = (
        "import sys\n"
        "from bot.cli.loading import loading\n"
        "with loading(for_good=True):\n"
        "    import bot.cli, bot.wiring.demo\n"
        "    bot.cli._app()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_after_loading_everything_is_as_it_was() -> None:
    known = "rich" in sys.modules
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert ("rich" in sys.modules) == known
    import rich.console  # can be had again

    assert rich.console.Console
