"""Runbooks as data: what a file says, filled in for one incident."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from bot.domain.events import Step
from bot.domain.severity import Severity
from bot.domain.templates import fill_all


@dataclass(frozen=True, slots=True)
class Runbook:
    """One runbook file, parsed. `steps` still hold their `{{ placeholders }}`."""

    name: str
    title: str
    digest: str
    steps: tuple[Step, ...] = ()
    owner: str = ""
    severity: Severity | None = None
    matches: tuple[str, ...] = ()
    escalation: str | None = None
    review_every: timedelta = timedelta(days=30)
    last_reviewed: date | None = None
    related: tuple[str, ...] = ()
    sections: Mapping[str, str] | None = None
    """Heading → Markdown, in the file's order."""


class _Values:
    """Labels or annotations inside a template. Not a dict: a label named `items` must be a label, not a method."""

    __slots__ = ("_shown",)

    def __init__(self, values: Mapping[str, str], quote: Callable[[str], str] = str) -> None:
        self._shown = (dict(values), quote)

    def __getitem__(self, name: str) -> str:
        values, quote = self._shown
        return quote(values.get(name, f"<{name}>"))


def fill_steps(
    runbook: Runbook, labels: Mapping[str, str], annotations: Mapping[str, str], incident: Mapping[str, Any]
) -> tuple[Step, ...]:
    """Return the steps for one incident: placeholders filled, values shell-quoted inside commands.

    A label that the alert does not have stays readable as `<label>`, quoted in commands so that pasting it is safe.
    """
    plain = {"labels": _Values(labels), "annotations": _Values(annotations), "incident": dict(incident)}
    quoted = {
        "labels": _Values(labels, shlex.quote),
        "annotations": _Values(annotations, shlex.quote),
        "incident": {k: shlex.quote(str(v)) for k, v in incident.items()},
    }
    # a broken placeholder must not cost the responders the step: it stays as it is; lint names it beforehand
    open_steps = [step for step in runbook.steps if _has_placeholders(step)]
    commands = fill_all([step.command for step in open_steps], quoted)
    words = iter(fill_all([words for step in open_steps for words in (step.text, step.expect, step.if_not)], plain))
    filled = (
        Step(
            number=step.number,
            section=step.section,
            text=next(words),
            command=command,
            language=step.language,
            expect=next(words),
            if_not=next(words),
        )
        for step, command in zip(open_steps, commands, strict=True)
    )
    return tuple(next(filled) if _has_placeholders(step) else step for step in runbook.steps)


def _has_placeholders(step: Step) -> bool:
    return "{" in step.command or "{" in step.text or "{" in step.expect or "{" in step.if_not
