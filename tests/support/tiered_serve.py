"""`tocsin` whose rate budgets refill SCALE times as fast (a minute's window in seconds), and which keeps a diary.

python -m tests.support.tiered_serve serve

The diary, DIARY, has a line for each claim: what could have run, and what was taken; and one for each call of Slack:
when it left, when its answer was read, and for how long it asks to be left alone.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from bot.cli import run
from bot.outbound.slack.client import Slack
from bot.ports.delivery import Job
from bot.storage import claims
from bot.storage.tables import effects, is_open
from bot.wiring import house

_claim, _post = claims.claim, Slack._post


def _write(**line: Any) -> None:
    with Path(os.environ["DIARY"]).open("a") as diary:
        diary.write(json.dumps(line) + "\n")


def claim(conn: Connection, worker: str, limit: int, now: datetime, lease: float, fold_after: timedelta) -> list[Job]:
    """Claim, and write down among which it was chosen: the claim is one transaction, and nobody else writes."""
    e = effects.c
    could = select(e.id, e.rank, e.budget).where(is_open(), claims.ripe(), claims.unblocked())
    ripe = [list(row) for row in conn.execute(could, {"now": now}) if row.budget]
    jobs = _claim(conn, worker, limit, now, lease, fold_after)
    if ripe:
        taken = [each.id for job in jobs for each in (job, *job.folded)]
        _write(ripe=ripe, taken=taken)
    return jobs


async def post(slack: Slack, method: str, given: Mapping[str, object]) -> tuple[int, Mapping[str, str], bytes]:
    """Call, and write down when it left and when we knew what came of it."""
    left = time.monotonic()
    status, headers, raw = await _post(slack, method, given)
    _write(
        method=method, channel=given.get("channel"), left=left, read=time.monotonic(), wait=headers.get("Retry-After")
    )
    return status, headers, raw


if __name__ == "__main__":
    scale = float(os.environ["SCALE"])
    house.LIMITS = {name: (count, seconds / scale) for name, (count, seconds) in house.LIMITS.items()}  # type: ignore[misc]
    claims.claim = claim
    Slack._post = post  # type: ignore[method-assign]
    sys.exit(run())
