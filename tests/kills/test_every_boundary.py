"""SIGKILL of the real bot, the workspace and the vendors in other processes: at every boundary of a whole incident.

The incident is lived four times. Each time the bot dies at every boundary of one sort that it comes to, once: the life
that follows is let pass there, and dies at the next. So whoever calls or commits is killed, however the calls that go
side by side are mixed this time: that nothing was passed over is held against what all lives together came to.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median
from typing import get_args

import pytest

from bot.domain.effects import AnyEffect
from tests.kills.story import LEASE, Lives, lives
from tests.support.killable import Passage
from tests.support.serving import tocsin

KINDS = {effect.model_fields["kind"].default for effect in get_args(get_args(AnyEffect)[0])}
RESUMES_WITHIN = 2.0
"""Seconds from the start of a process to its first call for a dead one; the half of them, so that a busy moment of the
machine is nobody's fault …"""
AT_MOST = LEASE / 4
"""… and each: far less than the lease that the dead one held."""


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Lives:
    """The story when nobody dies, told to its end."""
    with lives(tmp_path_factory.mktemp("calm")) as undisturbed:
        undisturbed.story()
    return undisturbed


def kinds(passages: Iterable[Passage]) -> set[str]:
    """The kinds of effects whose calls are among these."""
    return {one.name.split(":")[1] for one in passages if one.name.startswith("call:")}


@pytest.mark.kill
def test_the_story_has_an_effect_of_every_kind(calm: Lives) -> None:
    assert kinds(calm.passages()) == KINDS, "extend the story"
    assert not [one for one in calm.passages() if one.what == "died"]


@pytest.mark.kill
@pytest.mark.timeout(600)  # a hundred lives, each of which starts a house
@pytest.mark.parametrize("where", ["call:*:before", "call:*:after", "commit:before", "commit:after"])
def test_killed_at_every_such_boundary_the_world_ends_as_if_nothing_had_happened(
    calm: Lives, tmp_path: Path, where: str
) -> None:
    with lives(tmp_path, "every", where) as disturbed:
        disturbed.story(as_in=calm)
        passages = disturbed.passages()
        database = {"TOCSIN_DATABASE_URL": f"sqlite:///{disturbed.halves.data / 'tocsin.db'}"}
        code, said = tocsin("incident", "verify", cwd=tmp_path, env=database)
    assert code == 0, said
    deaths = [one for one in passages if one.what == "died"]
    assert {one.boundary for one in deaths} == {one.boundary for one in passages if fnmatchcase(one.name, where)}
    assert len({one.boundary for one in deaths}) == len(deaths), "each struck once"
    assert kinds(deaths if where.startswith("call") else passages) == KINDS
    if where == "call:*:after":
        resumed_soon(passages)


def resumed_soon(passages: list[Passage]) -> None:
    """Hold each life to calling soon again, after the one before it died with an answer in its hands."""
    births = [n for n, one in enumerate(passages) if one.what == "born"]
    took = [
        next(one.at for one in passages[birth:] if one.name.startswith("call:")) - passages[birth].at
        for birth in births[1:]
    ]
    assert median(took) < RESUMES_WITHIN
    assert max(took) < AT_MOST
