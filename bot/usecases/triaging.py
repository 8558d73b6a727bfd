"""The case of an answer to a question about alerts: Declare or Dismiss. Of several who press, the first one counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.alert_reports import Runbooks
from bot.domain.alerts import Group
from bot.domain.asking import declared
from bot.domain.audit import Audited
from bot.domain.incident import decide
from bot.domain.incident.context import Context
from bot.domain.people import is_person
from bot.domain.policy import Policy
from bot.domain.questions import Question
from bot.domain.refusals import OldControl
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded
from bot.usecases.asking import answered, ask
from bot.usecases.cases import Request, answer_for
from bot.usecases.unfold import unfold

Choice = Literal["declare", "dismiss"]


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    """Open the incident with the question's alerts, or dismiss them: they stay quiet until they resolve.

    `channel` is where the button was pressed: a private question is answered only where it stands.
    """

    request: Request
    question: str
    choice: Choice
    channel: str
    policy: Policy
    runbooks: Runbooks

    @property
    def command_id(self) -> str:
        return self.request.command_id

    def keys(self) -> Keys:
        return Keys(questions=frozenset({self.question}), opens=self.choice == "declare")

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Decide if nobody has; else say who did. Raises OldControl for what was never asked there."""
        question = loaded.questions.get(self.question)
        if question is None or (question.private and not self._stands_here(question)):
            raise OldControl
        if not question.is_open:
            return Changes(_decided(question), self.command_id)
        asked = self.request
        changes = Changes(Answer(kind="triage_dismissed", fields=_about(question)), self.command_id)
        if self.choice == "dismiss":
            ask(changes, answered(question, "dismissed", asked.actor, now), now)
            number = None
        else:
            number = self._declare(changes, question, loaded.next_number, now)
        line = Audited(now, asked.actor, asked.surface, asked.request_id, f"triage_{self.choice}", number, "done")
        changes.audit.append(line)
        return changes

    def _stands_here(self, question: Question) -> bool:
        return any(place.channel == self.channel for place in question.places.values())

    def _declare(self, changes: Changes, question: Question, number: int, now: datetime) -> int:
        asked = self.request
        context = Context(self.policy, now, asked.actor, number)
        events = decide(None, declared(question, self.policy, self.runbooks, now), context)
        changes.numbers = 1
        state = unfold(changes, None, events, context, asked.request_id)
        assert state is not None
        changes.groups.append(Group(question.group, number, question.last_alert_at))
        ask(changes, answered(question, "declared", asked.actor, now, number), now)
        wanted = is_person(asked.actor) and context.missing_roles(state.severity, state.roles)
        changes.answer = answer_for("declared", state, lead_wanted="lead" in (wanted or ()))
        return number


def _about(question: Question) -> dict[str, object]:
    return {"alert": question.worst.name, "firing": question.firing, "group": question.words}


def _decided(question: Question) -> Answer:
    fields = {**_about(question), "state": question.state, "by": question.by, "key": f"INC-{question.incident}"}
    return Answer(kind="triage_decided", incident=question.incident, fields=fields)
