"""Whom an incident asks in, where it is told, and whom its response ladder reaches."""

from bot.domain import commands as c
from bot.domain.effects import Invite, PostAnnouncement, Tell
from bot.domain.policy import Policy
from bot.domain.severity import Severity
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from tests.domain.room import Room
from tests.domain.test_severity_change import BOSS, PLAN, SEV1, SEV2, SEV3, called, declared
from tests.render.slack_cases import TEMPLATES

# --- who is asked in, and where it is told -------------------------------------------------------------------
HOUSE = Policy.model_validate(
    {
        "services": {
            "checkout": {"owners": ["U0OWNER", "S0OWNERS"], "invite": ["S0FRIENDS"], "usergroups": ["S0SHOP"]}
        },
        "severities": {
            "sev1": {"invite": ["U0CTO", "S0CHIEFS"], "channels": ["leadership", "incidents"]},
            "sev2": {"channels": ["support"]},
        },
        "channels": {"digest": "digest"},
    }
)


def invited(room: Room) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(one.users, one.usergroups) for new in room.last.effects if isinstance(one := new.effect, Invite)]


def announced(room: Room) -> list[str]:
    return [one.channel for new in room.last.effects if isinstance(one := new.effect, PostAnnouncement)]


def opened(severity: Severity, **about: object) -> Room:
    room = Room(HOUSE).declare(severity=severity, service="checkout", **about)
    return room.do(c.RoomOpened("C1", "inc-1"), "tocsin")


def test_usergroups_are_asked_in_as_usergroups_wherever_they_are_named() -> None:
    room = opened(SEV1)
    groups = ("S0CHIEFS", "S0FRIENDS", "S0OWNERS", "S0SHOP")
    assert invited(room) == [(("U0ANNA", "U0OWNER", "U0CTO"), groups)]


def test_a_raise_asks_in_those_whom_the_worse_level_concerns() -> None:
    room = opened(SEV2).do(c.SetSeverity(SEV1))
    assert invited(room)[0] == (("U0CTO",), ("S0CHIEFS",))
    assert invited(room.do(c.SetSeverity(SEV2, "half of it works"))) == []


def test_a_severity_is_told_in_its_own_channels_besides_and_in_each_of_them_once() -> None:
    room = opened(SEV2)
    assert announced(room) == ["incidents", "support", "digest"]
    for what in ("announcement", "announcement:support", "announcement:digest"):
        room.do(c.MessagePosted(what, "C9", f"{len(what)}.0", room.state.seq), "tocsin")
    room.do(c.SetSeverity(SEV1))
    assert announced(room) == ["leadership"]
    live = {"announcement", "announcement:support", "announcement:digest"}
    assert live <= set(room.effects), "where it stands already, it follows"


def test_a_private_incident_is_told_in_no_channel_whatever_its_severity() -> None:
    room = opened(SEV2, private=True)
    assert announced(room) == []
    assert announced(room.do(c.SetSeverity(SEV1))) == []
    assert invited(room)[0] == (("U0CTO",), ("S0CHIEFS",))


# --- whom the response ladder reaches --------------------------------------------------------------------------
def test_a_usergroup_of_the_ladder_is_mentioned_and_asked_in() -> None:
    room = declared(SEV1)
    for _ in range(2):
        room.ring("respond")
    assert invited(room) == [((BOSS,), ("S0CHIEFS",))]
    (told,) = [
        one for new in room.last.effects if isinstance(one := new.effect, Tell) and one.template == "page_requested"
    ]
    item = next(new.recorded for new in room.last.events if new.recorded.event.type == "page_requested")
    around = Surroundings(Texts(TEMPLATES), PLAN, Links("https://tocsin.example"))
    assert "<!subteam^S0CHIEFS>" in Renderer(around).tell(told, item, room.state).words


def test_where_only_people_are_told_a_level_of_pagers_is_none_to_begin_with() -> None:
    levels = {"levels": [{"targets": [{"pagerduty": "default"}]}, {"targets": [{"user": "U0B"}]}]}
    plan = Policy.model_validate({"escalations": {"default": levels}})
    assert called(Room(plan).declare(severity=SEV2)) == ["U0B"]
    assert called(Room(plan).declare(severity=SEV1)) == ["default"]


def test_a_level_that_calls_nobody_by_itself_rings_no_pager_however_late_the_answer_is() -> None:
    levels = {"levels": [{"targets": [{"user": "U0A"}]}, {"targets": [{"pagerduty": "default"}]}]}
    plan = Policy.model_validate({"escalations": {"default": levels}})
    for severity, reached in ((SEV3, ["U0A"]), (SEV2, ["U0A", "default"])):
        room = Room(plan).declare(severity=severity).furnish().ring("respond")
        assert called(room) == reached
    assert called(Room(plan).declare(severity=SEV3).do(c.PageSomeone("on-call"))) == ["U0A"]
