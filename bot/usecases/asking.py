"""Questions about alerts on their way out: asked once in each place, then kept true there."""

from datetime import datetime
from typing import Literal

from bot.domain.commands import QuestionPlaced, QuestionUnasked
from bot.domain.effects import AskTriage, ShowTriage
from bot.domain.policy import Policy
from bot.domain.questions import Place, Question
from bot.ports.store import Changes, NewEffect


def ask(changes: Changes, question: Question, now: datetime) -> None:
    """Keep `question`: ask it if it is new, bring it up to date wherever it stands.

    Where it does not stand yet it will be asked as it is by then.
    """
    changes.questions.append(question)
    for to in question.to:
        if question.version == 1:
            changes.effects.append(_row(question, AskTriage(question=question.id, to=to), now))
        elif to in question.places:
            changes.effects.append(_row(question, ShowTriage(question=question.id, to=to), now))


def answered(
    question: Question, state: Literal["declared", "dismissed"], by: str, now: datetime, incident: int | None = None
) -> Question:
    """Return the question as it is once somebody has decided."""
    decided = {"state": state, "by": by, "decided_at": now, "incident": incident}
    return question.model_copy(update={"version": question.version + 1, **decided})


def settle(
    changes: Changes, question: Question, told: QuestionPlaced | QuestionUnasked, policy: Policy, now: datetime
) -> None:
    """Take over where a question stands; or ask elsewhere, where it could not be asked."""
    if isinstance(told, QuestionPlaced):
        place = Place(channel=told.channel, ts=told.ts, shown=told.shown)
        after = question.model_copy(update={"places": {**question.places, told.to: place}})
        changes.questions.append(after)
        if question.version > told.shown:
            changes.effects.append(_row(after, ShowTriage(question=after.id, to=told.to), now))
        return
    other = policy.channels.house
    if question.private or not other or other in question.to:
        return  # a private one goes nowhere else; `undelivered` says that nobody was asked
    after = question.model_copy(update={"to": (*question.to, other)})
    changes.questions.append(after)
    changes.effects.append(_row(after, AskTriage(question=after.id, to=other), now))


def _row(question: Question, effect: AskTriage | ShowTriage, now: datetime) -> NewEffect:
    place = question.to.index(effect.to)
    shown = "" if isinstance(effect, AskTriage) else f".{question.version}"
    return NewEffect.of_house(f"triage:{question.id}.{place}{shown}", effect, question.severity.rank, now)
