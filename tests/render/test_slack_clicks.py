"""Looked-up answers have buttons where a click saves typing, and no others."""

from typing import Any

import pytest

from bot.render.slack import ids, replies
from tests.render.slack_cases import surroundings
from tests.render.slack_witness import objections


def listed(number: int, status: str = "investigating") -> dict[str, Any]:
    return {
        "number": number, "key": f"INC-{number}", "title": "Checkout is down", "severity": "sev1", "status": status,
        "channel": None, "channel_name": None, "private": False, "drill": False, "lead": None,
        "declared_at": "2026-03-14T09:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize(("count", "offered"), [(0, 0), (1, 1), (30, 5)])
def test_a_list_leads_into_its_first_open_incidents(count: int, offered: int) -> None:
    data = [listed(99, "closed"), *(listed(n + 1) for n in range(count))]
    reply = replies.looked_up("list", data, surroundings().texts)
    assert objections(reply.blocks) == []
    buttons = [e for b in reply.blocks if b["type"] == "actions" for e in b["elements"]]
    assert [one["value"] for one in buttons] == [str(n + 1) for n in range(offered)]
    assert all(one["action_id"].partition(":")[0] == ids.JOIN for one in buttons)
