"""Names and usergroups come from memory; what is missing is fetched beside the request, never within it."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.inbound.slack import SlackDirectory, Tasks
from bot.inbound.slack.rooms import Rooms


class Client:
    """Two pages of people, one usergroup."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.down = False
        self.url = "https://acme.slack.com/"
        self.groups = {"S1": ["U1"]}
        self.people = [
            {"id": "U1", "name": "ann", "profile": {"display_name": "Ann Lee", "email": "ann@example.com"}},
            {"id": "U2", "name": "bob", "profile": {"display_name": "Sam"}},
            {"id": "U3", "name": "sam", "profile": {}},
            {"id": "U4", "name": "gone", "deleted": True},
            {"id": "U5", "name": "robot", "is_bot": True},
        ]

    async def auth_test(self) -> dict[str, Any]:
        self.calls.append("auth.test")
        if self.down:
            raise SlackClientError
        return {"ok": True, "url": self.url}

    async def users_list(self, *, limit: int, cursor: str | None) -> dict[str, Any]:
        self.calls.append(f"users.list {cursor}")
        if self.down:
            raise SlackClientError
        at = int(cursor or 0)
        more = str(at + 2) if at + 2 < len(self.people) else ""
        return {"members": self.people[at : at + 2], "response_metadata": {"next_cursor": more}}

    async def usergroups_users_list(self, *, usergroup: str) -> dict[str, Any]:
        self.calls.append(f"usergroups.users.list {usergroup}")
        if self.down:
            raise SlackClientError
        if usergroup not in self.groups:
            raise SlackApiError("no", {"ok": False, "error": "no_such_subteam"})  # type: ignore[no-untyped-call]
        return {"users": self.groups[usergroup]}


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client() -> Client:
    return Client()


def directory(client: Client, tasks: Tasks, seconds: Seconds) -> SlackDirectory:
    return SlackDirectory(client, tasks, ["S1"], seconds)  # type: ignore[arg-type]


async def test_a_fetch_learns_handles_e_mails_and_usergroups(client: Client) -> None:
    known = directory(client, Tasks(), Seconds())
    await known.fetch()
    assert [known.find(word) for word in ("@ann", "Ann@Example.com", "bob")] == ["U1", "U1", "U2"]
    assert known.name("U1") == "Ann Lee"
    assert known.members("S1") == {"U1"}


async def test_an_id_is_somebodys_if_slack_has_it(client: Client) -> None:
    """Who left and what is a robot are found too: they are refused as such, by their own rule."""
    known = directory(client, Tasks(), Seconds())
    assert known.find("U1") is None
    await known.fetch()
    assert [known.find(word) for word in ("U1", "U4", "U5", "U999", "W3C")] == ["U1", "U4", "U5", None, None]


async def test_a_display_name_a_bot_or_a_leaver_means_nobody(client: Client) -> None:
    """Everybody may give themselves any display name: "Sam" is what U2 is called, and U3's handle."""
    known = directory(client, Tasks(), Seconds())
    await known.fetch()
    assert [known.find(word) for word in ("ann lee", "robot", "gone", "sam")] == [None, None, None, "U3"]


async def test_who_is_gone_is_told_with_each_fetch(client: Client) -> None:
    known, told = directory(client, Tasks(), Seconds()), list[frozenset[str]]()
    known.on_people.append(told.append)
    await known.fetch()
    assert told == [{"U4", "U5"}]


async def test_an_unknown_name_is_looked_for_once_a_minute(client: Client) -> None:
    tasks, seconds = Tasks(), Seconds()
    known = directory(client, tasks, seconds)
    assert [known.find("ann"), known.find("ann")] == [None, None]
    await tasks.finish()
    assert known.find("ann") == "U1"
    calls = len(client.calls)
    known.find("nobody")
    assert len(client.calls) == calls
    seconds.now += 61
    known.find("nobody")
    await tasks.finish()
    assert len(client.calls) > calls


async def test_what_is_known_stays_known_while_slack_is_away(client: Client) -> None:
    known = directory(client, Tasks(), Seconds())
    await known.fetch()
    client.down = True
    await known.fetch()
    assert known.find("ann") == "U1"


async def test_a_change_of_a_usergroup_is_learnt_at_once(client: Client) -> None:
    tasks = Tasks()
    known = directory(client, tasks, Seconds())
    await known.fetch()
    client.groups["S1"] = ["U2"]
    known.refresh()
    await tasks.finish()
    assert known.members("S1") == {"U2"}


async def test_members_are_believed_for_five_minutes_at_most_while_anybody_asks(client: Client) -> None:
    tasks, seconds = Tasks(), Seconds()
    known = directory(client, tasks, seconds)
    await known.fetch()
    client.groups["S1"] = []
    seconds.now += 299
    assert known.members("S1") == {"U1"}
    await tasks.finish()
    assert known.members("S1") == {"U1"}
    seconds.now += 1
    known.members("S1")
    await tasks.finish()
    assert known.members("S1") == frozenset()


async def test_a_usergroup_that_is_gone_holds_nobody_and_hides_no_other(client: Client) -> None:
    known = SlackDirectory(client, Tasks(), ["S0", "S1"], Seconds())  # type: ignore[arg-type]
    await known.fetch()
    assert (set(known.members("S0")), set(known.members("S1"))) == (set(), {"U1"})
    del client.groups["S1"]
    await known.fetch()
    assert known.members("S1") == frozenset()


async def test_while_slack_is_away_the_last_known_members_keep_their_rights(client: Client) -> None:
    known = directory(client, Tasks(), Seconds())
    await known.fetch()
    client.down = True
    await known.fetch_usergroups()
    assert known.members("S1") == {"U1"}


async def test_channels_and_messages_have_an_address_once_the_workspaces_is_known(client: Client) -> None:
    tasks = Tasks()
    known = directory(client, tasks, Seconds())
    assert (known.channel_link("C1"), known.message_link("slack:C1/1773478913.000100")) == ("", "")
    await tasks.finish()
    assert known.channel_link("C1") == "https://acme.slack.com/archives/C1"
    assert known.message_link("slack:C1/1773478913.000100") == "https://acme.slack.com/archives/C1/p1773478913000100"
    assert known.message_link("https://elsewhere.example/") == ""
    await known.fetch()
    assert client.calls.count("auth.test") == 1


async def test_an_address_that_is_no_web_address_is_no_link(client: Client) -> None:
    client.url = "javascript:alert(1)//"
    known = directory(client, Tasks(), Seconds())
    await known.fetch()
    assert known.channel_link("C1") == ""


class Reader:
    def __init__(self) -> None:
        self.rooms: dict[str, int] = {}
        self.asked = 0

    async def incident_of_channel(self, channel: str) -> int | None:
        self.asked += 1
        return self.rooms.get(channel)


async def test_an_incidents_channel_is_looked_up_once_and_a_direct_message_never() -> None:
    reader, seconds = Reader(), Seconds()
    reader.rooms["C1"] = 7
    rooms = Rooms(reader, seconds)
    assert [await rooms.incident("C1"), await rooms.incident("C1"), await rooms.incident("D1")] == [7, 7, None]
    assert reader.asked == 1


async def test_what_is_no_channel_id_is_never_looked_up() -> None:
    reader = Reader()
    rooms = Rooms(reader, Seconds())
    assert [await rooms.incident(junk) for junk in ("", "C\x00", "C\ud800", "C" * 5000, "'; --")] == [None] * 5
    assert reader.asked == 0


async def test_a_channel_that_another_replica_opened_is_found_within_seconds() -> None:
    reader, seconds = Reader(), Seconds()
    rooms = Rooms(reader, seconds)
    assert await rooms.incident("C2") is None
    reader.rooms["C2"] = 8
    assert await rooms.incident("C2") is None
    seconds.now += 5
    assert await rooms.incident("C2") == 8
