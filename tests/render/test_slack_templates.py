"""The texts: one for whatever the reactions ask to be said, none that nobody asks for, each replaceable."""

from pathlib import Path

from bot.domain import events as e
from bot.domain.effects import Tell, TellUser
from bot.domain.policy import Policy
from bot.domain.reactions import react
from bot.render.slack.message import Links, Surroundings
from bot.render.slack.renderer import Renderer
from bot.render.texts import Texts
from tests.render.slack_cases import ANNA, BEN, TEMPLATES, Life, declared, every_tell, room


def asked_for() -> set[str]:
    """The templates that the reactions name, for every event there is a text for."""
    names: set[str] = set()
    task = e.TaskAdded(number=1, text="x", owner=BEN)
    more = [e.DeliveryFailed(effect="7.1.0", what="open the channel", error="x", mend="y")]
    for start in (lambda: Life().then(task), lambda: room(Life()).then(task)):
        before = start().then(e.AlertsReported(opened=0, closed=1, firing=0, total=1)).state
        for event in [*every_tell("x"), *more]:
            after = start().then(event)
            for effect in react(before, after.state, after.last, Policy()).effects:
                if isinstance(effect, Tell):
                    names.add(f"tell/{effect.template}.j2")
                elif isinstance(effect, TellUser):
                    names.add(f"direct/{effect.template}.j2")
    return names


def test_there_is_a_text_for_whatever_the_reactions_say_and_no_other() -> None:
    folder = TEMPLATES / "slack"
    there = {str(path.relative_to(folder)) for place in ("tell", "direct") for path in (folder / place).iterdir()}
    assert there == asked_for()


def test_a_folder_of_the_users_replaces_a_text_and_its_values_stay_inert(tmp_path: Path) -> None:
    own = tmp_path / "slack" / "tell"
    own.mkdir(parents=True)
    (own / "update_posted.j2").write_text("News: {{ event.text }}", encoding="utf-8")
    around = Surroundings(Texts(tmp_path, TEMPLATES), Policy(), Links("https://tocsin.example"))
    life = room(Life()).then(e.UpdatePosted(text="<!channel> look"), BEN)
    assert Renderer(around).tell(Tell(template="update_posted"), life.last, life.state).text == (
        "News: &lt;!channel&gt; look"
    )


def test_links_lead_to_our_own_pages() -> None:
    links = Links("https://tocsin.example")
    assert links.resolve("runbook:disk-full", 7) == "https://tocsin.example/runbooks/disk-full"
    assert links.resolve("incident:", 7) == "https://tocsin.example/incidents/7"
    assert links.resolve("https://x.example", 7) == "https://x.example"


def test_a_page_to_one_person_says_where_to_go_and_until_when() -> None:
    life = room(Life()).then(e.PageRequested(target="checkout", users=(BEN,), reason="checkout is down"), ANNA)
    around = Surroundings(Texts(TEMPLATES), Policy(), Links("https://tocsin.example"))
    told = Renderer(around).tell_user(TellUser(user=BEN, template="page_requested"), life.last, life.state).text
    assert "<#C0007>" in told
    assert "Respond by <!date^" in told
    assert f"Called by <@{ANNA}>" in told


def test_a_page_that_goes_out_before_the_channel_stands_names_it() -> None:
    life = Life().then(e.PageRequested(target="checkout", users=(BEN,)), ANNA)
    around = Surroundings(Texts(TEMPLATES), Policy(), Links("https://tocsin.example"))
    told = Renderer(around).tell_user(TellUser(user=BEN, template="page_requested"), life.last, life.state).text
    assert "#inc-7-checkout-is-down is being opened" in told


def test_a_page_about_a_private_incident_gives_neither_title_nor_reason_away() -> None:
    life = room(Life(declared(private=True, title="Customer data leaked")))
    life.then(e.PageRequested(target="x", users=(BEN,), reason="the leak"))
    around = Surroundings(Texts(TEMPLATES), Policy(), Links("https://tocsin.example"))
    told = Renderer(around).tell_user(TellUser(user=BEN, template="page_requested"), life.last, life.state).text
    assert "Private incident INC-7 needs you" in told
    assert "leak" not in told
