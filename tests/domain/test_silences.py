"""Silences: what is asked for, when it is lifted, and that it never outlives the incident."""

from datetime import timedelta

import pytest

from bot.domain import commands as c
from bot.domain import refusals as r
from bot.domain.events import Silencing
from bot.domain.silences import choose, common
from tests.domain.room import Room
from tests.support.alerts import episode

HOUR = timedelta(hours=1)
ONE = (Silencing(name="HighLatency", matchers={"alertname": "HighLatency"}),)


def silenced() -> tuple[Room, str]:
    """An incident with a silence that is asked for."""
    room = Room().declare()
    room.do(c.SilenceAlerts(ONE, HOUR))
    return room, next(iter(room.state.silences))


def placed(key: str, room: Room) -> c.SilencePlaced:
    return c.SilencePlaced(key, "HighLatency", "am-1", {"alertname": "HighLatency"}, room.state.silences[key].until)


def test_a_name_means_its_firing_alerts_and_the_labels_that_they_share() -> None:
    alerts = [
        episode(1, "f1", service="checkout", instance="1"),
        episode(1, "f2", service="checkout", instance="2"),
        episode(1, "f3", alertname="DiskFull", instance="1"),
    ]
    (found,) = choose(alerts, "highlatency")
    assert found.matchers == {"alertname": "HighLatency", "service": "checkout"}
    assert [one.name for one in choose(alerts, "all")] == ["HighLatency", "DiskFull"]
    (exact,) = choose(alerts, "f2")
    assert exact.matchers["instance"] == "2"
    assert choose(alerts, "nothing") == ()


def test_only_what_fires_at_alertmanager_can_be_silenced() -> None:
    over = episode(1).model_copy(update={"closed_at": episode(1).opened_at})
    other = episode(1).model_copy(update={"source": "pagerduty"})
    assert choose([over, other], "all") == ()


def test_only_what_all_share_is_a_matcher() -> None:
    assert common([{"a": "1", "b": "y", "c": ""}, {"a": "2", "b": "y", "c": ""}]) == {"b": "y"}
    assert common([]) == {}


def test_an_alert_whose_label_was_cut_on_the_way_in_is_not_silenced() -> None:
    """Without that label the silence would fit more than the alert."""
    assert choose([episode(1, path="x" * 499 + "…")], "all") == ()


@pytest.mark.parametrize("span", [timedelta(seconds=59), timedelta(days=2)])
def test_a_silence_is_neither_a_blink_nor_for_ever(span: timedelta) -> None:
    with pytest.raises(r.BadArgument):
        Room().declare().do(c.SilenceAlerts(ONE, span))


def test_nothing_that_fires_is_refused_with_the_word() -> None:
    with pytest.raises(r.NothingToSilence, match="all"):
        Room().declare().do(c.SilenceAlerts((), HOUR))


@pytest.mark.parametrize("end", [c.Resolve("fixed"), c.Cancel("none"), c.LiftSilences("highlatency")])
def test_a_silence_that_stands_is_lifted_when_it_is_not_wanted_any_more(end: c.Command) -> None:
    room, key = silenced()
    room.do(placed(key, room))
    room.do(end)
    assert [new.effect.silence for new in room.last.effects if new.effect.kind == "lift_silence"] == [key]
    room.do(c.SilenceEnded(key))
    assert room.state.silences == {}


@pytest.mark.parametrize("end", [c.Resolve("fixed"), c.LiftSilences()])
def test_one_that_is_placed_too_late_is_lifted_at_once(end: c.Command) -> None:
    room, key = silenced()
    room.do(end)
    assert "lift_silence" not in room.effects
    room.do(placed(key, room))
    assert [new.effect.remote for new in room.last.effects if new.effect.kind == "lift_silence"] == ["am-1"]


def test_lifting_nothing_is_refused() -> None:
    with pytest.raises(r.NothingSilenced):
        Room().declare().do(c.LiftSilences())
