"""SIGKILL of the real bot, the workspace in its own process: at every boundary, and at every kind of boundary.

The list of boundaries comes from a run that nobody disturbs: it is killed at the first, the second, … Where calls go
side by side their order varies, so each kind of effect is also hit by name: before its call, after its call (the vendor
has done it, nobody wrote it down) and after the commit that writes it down.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.kills.lives import Lives
from tests.support.serving import tocsin

KINDS = (
    "open_room", "post_announcement", "invite", "post_card", "show_topic", "tell_user", "pin_card", "bookmark",
    "post_runbook", "post_draft", "tell", "show_message",
)  # fmt: skip
"""Every kind that the story brings about; held against the undisturbed run."""
EACH_KIND = [
    order
    for kind in KINDS
    for order in (f"call:{kind}:before", f"call:{kind}:after", f"call:{kind}:after>commit:after")
]
AT_MOST = 90
"""Boundaries of one story at most, however few of its commits are shared."""
ORDERS = [*EACH_KIND, *(str(n) for n in range(1, AT_MOST + 1))]


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lives]:
    """One workspace and one database for all the lives of this module."""
    opened = Lives(tmp_path_factory.mktemp("lives"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def undisturbed(lives: Lives) -> tuple[list[str], dict[str, Any]]:
    """The boundaries of a story in which nobody dies, and what is to be seen in the end."""
    passed = len(lives.boundaries())
    died, picture = lives.story()
    assert not died
    assert any(picture["direct"].values()), "somebody was called"
    return lives.boundaries()[passed:], picture


@pytest.mark.kill
@pytest.mark.parametrize("order", ORDERS)
def test_killed_there_the_incident_ends_as_if_nothing_had_happened(
    lives: Lives, undisturbed: tuple[list[str], dict[str, Any]], order: str
) -> None:
    boundaries, expected = undisturbed
    assert len(boundaries) <= AT_MOST
    if order.isdigit() and int(order) > len(boundaries):
        return  # there is none
    died, picture = lives.story(order)
    assert died or (order.isdigit() and int(order) > len(boundaries) // 2), "it did not come to that"
    assert picture == expected


@pytest.mark.kill
def test_every_kind_of_call_that_the_story_makes_is_among_the_kills(
    undisturbed: tuple[list[str], dict[str, Any]],
) -> None:
    made = {name.split(":")[1] for name in undisturbed[0] if name.startswith("call:")}
    assert made == set(KINDS)


@pytest.mark.kill
def test_after_all_these_deaths_the_log_is_whole(lives: Lives) -> None:
    code, said = tocsin("incident", "verify", cwd=lives.data, env={"TOCSIN_DATABASE_URL": lives.database})
    assert code == 0, said
