"""Alerts as lines of a message: what fires, where to look, and a button to silence it for an hour."""

from collections.abc import Sequence

from bot.domain.events import AlertFact
from bot.domain.incident import Incident
from bot.domain.silences import SOURCE
from bot.render.slack import ids
from bot.render.slack.message import Block, Element, Surroundings, actions, button, link_button, section

FINGERPRINT_MAX = 100
"""Characters; longer ones are hashes by then. With the number they stay far below the limit of a button's value."""
ROWS_MAX = 3
"""So many alerts have all their buttons in a row of their own; of more only the first: a message is to be read."""


def alert_lines(facts: Sequence[AlertFact], state: Incident, around: Surroundings) -> list[Block]:
    """Return a section for each alert, and its buttons: in a row below it, or its pages as links and one beside it."""
    made: list[Block] = []
    for n, fact in enumerate(facts, start=1):
        silence = silence_button(n, fact, state, around)
        pages = page_buttons(n, fact) if n == 1 or len(facts) <= ROWS_MAX else []
        line = around.words("alert_line", fact=fact, silences=around.silences, buttons=bool(pages))
        made.append(section(line, None if pages else silence))
        if pages:
            made.append(actions(*pages, *([silence] if silence else [])))
    return made


def page_buttons(n: int, fact: AlertFact) -> list[Element]:
    """Return buttons to the pages of an alert: its source, its graph, its runbook. Only http(s) ever becomes one."""
    pages = (("Source", fact.url), ("Dashboard", fact.dashboard_url), ("Runbook", fact.runbook_url))
    made = [link_button(10 * n + at, label, url) for at, (label, url) in enumerate(pages)]
    return [one for one in made if one]


def silence_button(n: int, fact: AlertFact, state: Incident, around: Surroundings) -> Element | None:
    """Return the button that silences an alert; None where it would do nothing: no Alertmanager to call, or no need."""
    if not _can_be_silent(fact, state, around) or not fact.fingerprint or len(fact.fingerprint) > FINGERPRINT_MAX:
        return None
    return button(f"{ids.SILENCE}:{n}", "Silence 1 h", f"{state.number}:{fact.fingerprint}")


def silence_all_button(facts: Sequence[AlertFact], state: Incident, around: Surroundings) -> Element | None:
    """Return the button that silences whatever fires in the incident; None where it would do nothing."""
    if not any(_can_be_silent(fact, state, around) for fact in facts):
        return None
    return button(f"{ids.SILENCE}:0", "Silence all 1 h", f"{state.number}:all")


def _can_be_silent(fact: AlertFact, state: Incident, around: Surroundings) -> bool:
    known = fact.source == SOURCE and not fact.inexact
    return fact.status == "firing" and state.is_active and known and around.silences


def why_button(state: Incident) -> Element:
    """Return the button that shows every decision and its reason to the asker."""
    return button(ids.WHY, "Why?", state.number)
