"""The postmortem and the timeline: what the record says, in order, with what is missing shown as missing."""

import json
from datetime import timedelta
from pathlib import Path

from markdown_it import MarkdownIt

from bot.domain import commands as c
from bot.domain.events import Recorded
from bot.domain.postmortem import Postmortem, compile_postmortem
from bot.domain.record import Entry, Observation
from bot.domain.severity import Severity
from bot.domain.timeline import timeline
from bot.render.postmortem import postmortem_json, postmortem_markdown
from bot.render.texts import Texts
from tests.domain.room import Room
from tests.domain.test_people_and_words import BOOK

TEMPLATES = Path(__file__).parents[2] / "templates"


class Recorder(Room):
    """A room that keeps its log."""

    log: list[Recorded]

    def do(self, command: c.Command, actor: str = "U0ANNA") -> "Recorder":
        super().do(command, actor)
        self.log += [new.recorded for new in self.last.events]
        return self

    def begin(self, **fields: object) -> "Recorder":
        self.declare(**fields)
        self.log = [new.recorded for new in self.last.events]
        return self

    def document(self, entries: tuple[Entry, ...] = ()) -> Postmortem:
        return compile_postmortem(self.state, self.log, entries, (), self.policy)


def a_whole_incident() -> Recorder:
    room = Recorder().begin(service="checkout", runbook=BOOK)
    room.wait(minutes=4).do(c.Acknowledge(), "U0BOB")
    room.do(c.AssignRole("lead", "U0BOB"), "U0BOB").do(c.MarkStep(1, "done"), "U0BOB")
    room.wait(minutes=20).do(c.ApprovePublic(), "U0CHLOE").do(c.PublishPublic(), "U0CHLOE")
    room.do(c.AssignRole("lead", "U0CHLOE"), "U0CHLOE").do(c.AddTask("Add an alert", "U0BOB", timedelta(days=3)))
    room.do(c.SetSeverity(Severity.SEV2, "only one region"))
    return room.wait(minutes=36).do(c.Resolve("rolled back 4f2a"), "U0BOB")


def test_times_and_durations_come_from_the_record() -> None:
    spans = {span.name: span.text for span in a_whole_incident().document().spans}
    assert spans == {
        "Time to detect": "not known",
        "Time to acknowledge": "4m",
        "Time to the first public update": "24m",
        "Time to mitigate": "1h",
        "Time to resolve": "1h",
    }


def test_the_start_of_impact_is_asked_never_guessed() -> None:
    assert a_whole_incident().document().times[0].at is None


def test_roles_show_who_held_them_from_when_to_when() -> None:
    first, second = a_whole_incident().document().roles
    assert (first.user, second.user) == ("U0BOB", "U0CHLOE")
    assert first.until == second.since
    assert second.until is None


def test_each_sentence_of_the_summary_names_the_events_it_rests_on() -> None:
    room = a_whole_incident()
    for text, seqs in room.document().summary:
        assert text.endswith(".")
        assert seqs
        assert set(seqs) <= {item.seq for item in room.log}


def test_the_same_record_gives_the_same_document() -> None:
    room = a_whole_incident()
    texts = Texts(TEMPLATES)
    assert postmortem_markdown(room.document(), texts, str) == postmortem_markdown(room.document(), texts, str)
    assert postmortem_json(room.document())["spans"][4]["length"] == 3600.0


def test_the_markdown_has_every_section_and_names_people() -> None:
    text = postmortem_markdown(a_whole_incident().document(), Texts(TEMPLATES), {"U0BOB": "Bob"}.get)
    for section in ("Summary", "Impact", "Key times", "Detection", "Response", "Resolution", "Runbook", "Timeline",
                    "Public updates", "Action items", "Lessons", "Open questions", "Review"):  # fmt: skip
        assert f"## {section}" in text
    assert "| Incident commander | Bob |" in text
    assert "rolled back 4f2a" in text


def test_hostile_words_stay_words_in_markdown() -> None:
    room = (
        a_whole_incident().do(c.Reopen("again")).do(c.PostUpdate("<script>alert(1)</script> | [x](javascript:y) # *b*"))
    )
    html = (
        MarkdownIt("commonmark", {"html": True})
        .enable("table")
        .render(postmortem_markdown(room.document(), Texts(TEMPLATES), str))
    )
    assert "<script" not in html
    assert "<a " not in html


def test_the_public_form_holds_only_what_was_published() -> None:
    document = a_whole_incident().document()
    as_json = json.dumps(postmortem_json(document, public=True))
    for text in (postmortem_markdown(document, Texts(TEMPLATES), str, public=True), as_json):
        assert "Checkout is down" not in text
        assert "U0" not in text
        assert "We are investigating a problem with Checkout" in text


def seen(seq: int, kind: str, ts: str, text: str = "", **fields: object) -> Entry:
    observation = Observation(kind=kind, key=f"{kind}{seq}", channel="C1", ts=ts, text=text, **fields)  # type: ignore[arg-type]
    return Entry(seq=seq, at=Room().now + timedelta(minutes=seq), actor="U0BOB", observation=observation)


def test_an_edited_message_shows_its_last_words_and_a_deleted_one_none() -> None:
    room = Recorder().begin()
    entries = (seen(1, "message", "1", "secrte"), seen(2, "edited", "1", "fixed"), seen(3, "message", "2", "my token"),
               seen(4, "deleted", "2"))  # fmt: skip
    lines = [line.text for line in timeline(room.state, room.log, entries)]
    assert "<@U0BOB> wrote: fixed" in lines
    assert "<@U0BOB> wrote: [deleted]" in lines
    assert not any("token" in line or "secrte" in line for line in lines)


def test_a_note_about_the_past_stands_where_it_happened() -> None:
    room = Recorder().begin()
    room.wait(hours=1).do(c.AddNote("the deploy began", room.now - timedelta(hours=2)))
    first = timeline(room.state, room.log, ())[0]
    assert first.text == "<@U0ANNA> noted: the deploy began"
    assert first.recorded_at == room.now


def test_lines_are_numbered_in_order_of_time() -> None:
    room = a_whole_incident()
    lines = timeline(room.state, room.log, (seen(1, "message", "1", "hello"),))
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
    assert [line.at for line in lines] == sorted(line.at for line in lines)
