"""Whose turn it is: handovers, layers, overrides, the clocks' changes; whom a level reaches."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.duty import Calendar, Duty, Override, Shift
from bot.domain.oncall import escalate, first_responders, reach
from bot.domain.policy import Policy
from bot.domain.rotations import Person, Rotation
from bot.domain.turns import next_shift, shift_at, user_at

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def rotation(**keys: Any) -> Rotation:
    return Rotation.model_validate({"timezone": "Europe/Berlin", "people": ["U0A", "U0B", "U0C"], **keys})


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def override(number: int, start: datetime, end: datetime, user: str = "U0X", **more: Any) -> Override:
    return Override(number, "primary", user, start, end, "U0BOSS", start, **more)


def test_a_daily_rotation_gives_each_person_a_day_over_month_ends_and_leap_day() -> None:
    daily = rotation(every="1d", start=date(2028, 2, 28), handover={"at": "08:00"})
    days = [at(f"2028-{day}T12:00") for day in ("02-28", "02-29", "03-01", "03-31", "04-01")]
    assert [user_at(daily, day) for day in days] == ["U0A", "U0B", "U0C", "U0C", "U0A"]
    leap = shift_at(daily, days[1])
    assert (leap.start, leap.end) == (at("2028-02-29T08:00"), at("2028-03-01T08:00"))


def test_a_fortnight_lasts_two_weeks_and_the_year_makes_no_difference() -> None:
    fortnight = rotation(every="2w", start=date(2026, 12, 21), people=["U0A", "U0B"])
    turns = [shift_at(fortnight, at("2026-12-22T00:00"), ahead) for ahead in range(3)]
    assert [turn.user for turn in turns] == ["U0A", "U0B", "U0A"]
    assert [turn.end for turn in turns] == [at(f"2027-{day}T09:00") for day in ("01-04", "01-18", "02-01")]


def test_handover_days_split_the_week_unevenly() -> None:
    split = rotation(
        handover={"days": ["mon", "Friday"], "at": "17:00"}, start=date(2026, 11, 23), people=["U0A", "U0B"]
    )
    assert user_at(split, at("2026-11-26T12:00")) == "U0A"
    weekend = shift_at(split, at("2026-11-28T12:00"))
    assert (weekend.user, weekend.start, weekend.end) == ("U0B", at("2026-11-27T17:00"), at("2026-11-30T17:00"))


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29T12:00", 23), ("2026-10-25T12:00", 25), ("2026-07-01T12:00", 24)]
)
def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is(day: str, hours: int) -> None:
    """Handover at midnight: the turn is the calendar day."""
    shift = shift_at(rotation(every="1d", handover={"at": "00:00"}), at(day))
    assert shift.end - shift.start == timedelta(hours=hours)


def test_a_handover_at_a_time_that_the_clocks_skip_comes_after_the_gap() -> None:
    shift = shift_at(rotation(every="1d", handover={"at": "02:30"}), at("2026-03-29T12:00"))
    assert shift.start == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 by the new clock


def test_a_handover_at_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    daily = rotation(every="1d", handover={"at": "02:30"})
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert user_at(daily, first - timedelta(seconds=1)) != user_at(daily, first)
    assert user_at(daily, first) == user_at(daily, first + timedelta(hours=1))


LAYERED: dict[str, Any] = {
    "people": ["U0A", "U0B"],
    "start": date(2026, 11, 23),
    "layers": [{"people": ["U0DAY"], "hours": "09:00-17:00", "days": ["mon", "tue", "wed", "thu", "fri"]}],
}


def test_a_later_layer_covers_its_hours_and_the_one_below_the_others() -> None:
    layered = rotation(**LAYERED)
    day, night = shift_at(layered, at("2026-11-24T12:00")), shift_at(layered, at("2026-11-24T20:00"))
    assert (day.user, day.start, day.end) == ("U0DAY", at("2026-11-24T09:00"), at("2026-11-24T17:00"))
    assert (night.user, night.end) == ("U0A", at("2026-11-25T09:00"))
    assert user_at(layered, at("2026-11-28T12:00")) == "U0A"  # a Saturday


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    nights = rotation(people=["U0A"], layers=[{"people": ["U0N"], "hours": "22:00-06:00", "days": ["fri"]}])
    assert user_at(nights, at("2026-11-28T05:59")) == "U0N"
    assert user_at(nights, at("2026-11-28T22:30")) == "U0A"


def test_a_time_that_no_layer_covers_has_nobody() -> None:
    office = Rotation.model_validate({"layers": [{"people": ["U0A"], "hours": "09:00-17:00"}]})
    gap = shift_at(office, datetime(2026, 11, 23, 20, tzinfo=UTC))
    assert (gap.user, gap.end) == ("", datetime(2026, 11, 24, 9, tzinfo=UTC))


def test_an_override_holds_for_its_time_and_the_last_one_made_wins() -> None:
    duty = Duty(
        (
            override(1, NOW - timedelta(hours=1), NOW + timedelta(hours=4)),
            override(2, NOW, NOW + timedelta(hours=1), "U0Y"),
            override(3, NOW, NOW + timedelta(hours=1), "U0Z", cancelled_at=NOW),
        )
    )
    weekly = rotation()
    shifts = [shift_at(weekly, NOW, ahead, name="primary", duty=duty) for ahead in range(3)]
    assert [(shift.user, shift.override) for shift in shifts[:2]] == [("U0Y", 2), ("U0X", 1)]
    assert shifts[2].user == user_at(weekly, NOW)
    assert shifts[2].start == NOW + timedelta(hours=4)
    assert shift_at(weekly, NOW, name="secondary", duty=duty).override == 0


def test_next_is_somebody_else() -> None:
    assert next_shift(rotation(people=["U0A"]), NOW) is None
    following = next_shift(rotation(**LAYERED), at("2026-11-24T20:00"))
    assert following is not None
    assert (following.user, following.start) == ("U0DAY", at("2026-11-25T09:00"))


def test_a_vendors_schedule_is_followed_as_far_as_it_was_told() -> None:
    told = Calendar((Shift("U0P", NOW - timedelta(hours=1), NOW + timedelta(hours=1)),), asked_at=NOW)
    theirs = Rotation(pagerduty_schedule="PABC123")
    duty = Duty(calendars={"primary": told})
    assert user_at(theirs, NOW, name="primary", duty=duty) == "U0P"
    assert user_at(theirs, NOW + timedelta(hours=2), name="primary", duty=duty) == ""


@given(
    every=st.sampled_from(["1d", "1w", "2w"]),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Pacific/Apia"]),
    handover=st.sampled_from(["00:00", "02:30", "09:00", "23:59"]),
    moment=st.integers(0, 21 * 365 * 86_400).map(lambda s: datetime(2011, 12, 1, tzinfo=UTC) + timedelta(seconds=s)),
    layered=st.booleans(),
)
def test_every_moment_lies_in_exactly_one_shift(
    every: str, zone: str, handover: str, moment: datetime, layered: bool
) -> None:
    keys = {**LAYERED, "timezone": zone, "every": every, "handover": {"at": handover, "day": "thu"}}
    if not layered:
        del keys["layers"]
    rota, now = Rotation.model_validate(keys), moment
    shift = shift_at(rota, now)
    assert shift.start <= now < shift.end
    assert shift.user == user_at(rota, shift.start) == user_at(rota, shift.end - timedelta(microseconds=1))
    assert shift_at(rota, shift.start) == shift
    assert shift_at(rota, shift.end).start == shift.end


@pytest.mark.parametrize(
    "keys",
    [
        {"people": []},
        {"pagerduty_schedule": "P1"},
        {"every": "3w"},
        {"layers": [{"people": ["U0A"], "hours": "9-17"}]},
        {"timezone": "Mars/Olympus"},
    ],
)
def test_a_rotation_that_means_nothing_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rotation(**keys)


# --- quiet hours ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-23T23:00", "2026-11-24T07:00"),
        ("2026-11-24T06:59", "2026-11-24T07:00"),
        ("2026-11-24T07:00", None),
        ("2026-03-28T23:00", "2026-03-29T07:00"),
    ],
)
def test_quiet_hours_go_over_midnight_in_the_persons_own_zone(now: str, until: str | None) -> None:
    person = Person(quiet="22:00-07:00", timezone="Europe/Berlin")
    assert person.calm_until(at(now), ZoneInfo("UTC")) == (at(until) if until else None)


# --- escalation -----------------------------------------------------------------------------------------
def policy(*levels: list[dict[str, str]], repeat: int = 0, gone: tuple[str, ...] = ()) -> Policy:
    made = Policy.model_validate(
        {"escalations": {"default": {"levels": [{"targets": targets} for targets in levels], "repeat": repeat}}}
    )
    made.learn(Duty(gone=frozenset(gone)))
    return made


def rings(plan: Policy) -> list[tuple[tuple[str, ...], bool]]:
    """Whom each ring calls, and whether another follows."""
    place, seen = 0, []
    while True:
        step = escalate(plan, None, place + 1, NOW)
        seen.append((step.reach.users, step.wait is not None))
        place = step.place
        if step.wait is None:
            return seen


def test_it_goes_from_primary_over_secondary_to_the_last_level() -> None:
    plan = policy([{"user": "U0P"}], [{"user": "U0S"}], [{"user": "U0LEAD"}])
    assert rings(plan) == [(("U0P", "U0S"), True), (("U0LEAD",), False)]


def test_after_the_last_level_it_begins_anew_as_often_as_it_is_told() -> None:
    plan = policy([{"user": "U0P"}], [{"user": "U0S"}], repeat=2)
    assert [users for users, _ in rings(plan)] == [("U0P", "U0S"), ("U0P",), ("U0S",), ("U0P",), ("U0S",)]


def test_a_level_whose_people_are_gone_is_passed_over_at_once() -> None:
    plan = policy([{"user": "U0P"}], [{"user": "U0GONE"}], [{"user": "U0LEAD"}], gone=("U0GONE",))
    step = escalate(plan, None, 1, NOW)
    assert (step.reach.users, step.reach.skipped, step.empty) == (("U0P", "U0LEAD"), ("U0GONE",), (2,))
    assert step.wait is None


def test_where_nobody_is_left_it_ends_and_says_so() -> None:
    plan = policy([{"user": "U0GONE"}], [{"user": "U0GONE"}], gone=("U0GONE",))
    step = escalate(plan, None, 1, NOW)
    assert (bool(step.reach), step.reach.skipped, step.empty, step.wait) == (False, ("U0GONE",), (1, 2), None)


def test_the_first_call_goes_to_the_first_level_that_reaches_anybody() -> None:
    plan = policy([{"user": "U0GONE"}], [{"user": "U0S"}], gone=("U0GONE",))
    found = first_responders(plan, None, NOW)
    assert (found.users, found.skipped) == (("U0S",), ("U0GONE",))


def test_a_schedule_means_whoever_an_override_put_there() -> None:
    plan = Policy.model_validate({"oncall": {"primary": {"people": ["U0A"]}}})
    plan.learn(Duty((override(1, NOW, NOW + timedelta(hours=1)),)))
    assert reach(plan.escalation_for(None), plan, NOW).users == ("U0X",)
