"""An in-memory twin of the store: what the committer would load, kept across cases."""

from datetime import UTC, datetime, timedelta

from bot.domain.commands import Command
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.ports.store import Answer, Changes, Loaded
from bot.usecases.cases import Act, Request
from bot.usecases.committer import Case

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Ledger:
    """Runs cases one after the other, as the committer does, at a time that the test sets."""

    def __init__(self) -> None:
        self.loaded = Loaded(next_number=1)
        self.now = START
        self.all: list[Changes] = []

    async def submit(self, case: Case) -> Answer:
        """Run `case` as the committer would, refusals included."""
        return self.run(case)

    def run(self, case: Case) -> Answer:
        """Run `case` on what is known, keep what it changes."""
        if case.command_id and (stored := self.loaded.answers.get(case.command_id)):
            return stored
        self._only_what_it_asked_for(case)
        changes = case.run(self.loaded, self.now)
        self.loaded.apply(changes)
        self.all.append(changes)
        return changes.answer

    def _only_what_it_asked_for(self, case: Case) -> None:
        """Hold the case to its keys: what it did not ask for would not be loaded."""
        keys = case.keys()
        limited = Loaded(next_number=self.loaded.next_number if keys.opens else 0)
        alerts = set(keys.fingerprints)
        for _ in self.loaded.episodes:
            alerts |= {one for k in alerts & self.loaded.episodes.keys() for one in self.loaded.episodes[k].relatives}
        limited.episodes = {k: v for k, v in self.loaded.episodes.items() if k in alerts}
        pointed = {episode.question for episode in limited.episodes.values()} | keys.questions
        limited.asked = {k: v for k, v in self.loaded.asked.items() if k in keys.asked}
        pointed |= {question.id for question in limited.asked.values()}
        limited.questions = {k: v for k, v in self.loaded.questions.items() if k in pointed}
        of_questions = {v.group for k, v in limited.questions.items() if k in keys.questions}
        limited.groups = {k: v for k, v in self.loaded.groups.items() if k in keys.groups | of_questions}
        limited.watches = {k: v for k, v in self.loaded.watches.items() if k in keys.watchdogs}
        limited.sights = {k: v for k, v in self.loaded.sights.items() if k in keys.sights}
        seen = {question.incident for question in limited.questions.values()}
        seen |= {e.incident for e in limited.episodes.values()} | {g.incident for g in limited.groups.values()}
        for _ in self.loaded.incidents:
            seen |= {s.merged_into for n, s in self.loaded.incidents.items() if n in seen}
        limited.incidents = {n: s for n, s in self.loaded.incidents.items() if n in seen | keys.incidents}
        limited.notices = {k: v for k, v in self.loaded.notices.items() if k in keys.notices}
        limited.recent = self.loaded.recent
        limited.answers = self.loaded.answers
        wanted = case.run(limited, self.now)
        got = case.run(self.loaded, self.now)
        assert wanted == got, "the case needs more than its keys ask for, or is not pure"

    def act(self, number: int, command: Command, policy: Policy | None = None) -> None:
        """Let a person do something to an incident."""
        self.run(Act(Request("U0001"), number, command, policy or Policy()))

    def after(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    @property
    def incidents(self) -> dict[int, Incident]:
        """Every incident, as it is now."""
        return self.loaded.incidents

    @property
    def events(self) -> list[str]:
        """The types of all control events, oldest first."""
        return [new.recorded.event.type for changes in self.all for new in changes.events]
