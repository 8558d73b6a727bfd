"""A batch's changes of effects and timers, folded in memory, so that the database sees one executemany a kind.

Cases of one batch see each other's changes: an acknowledgement cancels a page that an earlier case of the same
batch asked for, before it was ever written.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.incident import Incident
from bot.domain.notices import house
from bot.ports.store import Changes, NewEffect, Settled
from bot.storage.budgets import BudgetOf

Row = dict[str, Any]


@dataclass(slots=True)
class EffectRows:
    """What happens to the effects: first to rows that stand, then the new ones."""

    new: dict[str, Row] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)
    cancelled: list[tuple[int, str, datetime]] = field(default_factory=list)
    released: dict[int, Incident] = field(default_factory=dict)
    retried: list[tuple[str, datetime]] = field(default_factory=list)
    """(effect, when a person asked for it): it is as young as that again."""
    shown_again: list[str] = field(default_factory=list)
    ranks: dict[int, int] = field(default_factory=dict)
    _shows: dict[tuple[int, str], Row] = field(default_factory=dict)

    def add(self, changes: Changes, budget_of: BudgetOf, now: datetime) -> None:
        """Fold one case's changes in."""
        self.settled += changes.settled
        self.shown_again += changes.show_again
        self.retried += [(effect, now) for effect in changes.retry]
        for number, cause in changes.cancel:
            self.cancelled.append((number, cause, now))
            for row in self._waiting(number):
                if row["cause"] == cause:
                    row.update(state="cancelled", ended_at=now)
        for new in changes.effects:
            if not self._shown_already(new):
                row = _effect_row(new, budget_of(new.effect, changes.incidents.get(new.incident) or house()))
                self.new[new.id] = row
                if new.show_key is not None:
                    self._shows[new.incident, new.show_key] = row
        for number in changes.release:
            self.released[number] = changes.incidents[number]
            for row in self._waiting(number):
                row["state"] = "waiting" if row["state"] == "held" else row["state"]
        for event in changes.events:
            if event.recorded.event.type == "severity_changed":
                self.ranks[event.incident] = changes.incidents[event.incident].severity.rank

    def _shown_already(self, new: NewEffect) -> bool:
        """True if an earlier case of the batch shows the same: its row takes over what the database's would."""
        row = self._shows.get((new.incident, new.show_key or ""))
        if row is None or row["state"] != "waiting":
            return False
        row.update(rank=min(row["rank"], new.rank), seq=new.seq, data=new.effect.model_dump_json())
        return True

    def _waiting(self, number: int) -> Iterable[Row]:
        return (row for row in self.new.values() if row["incident"] == number and row["state"] != "cancelled")


def _effect_row(new: NewEffect, budget: str) -> Row:
    return {
        "id": new.id,
        "incident": new.incident,
        "seq": new.seq,
        "kind": new.effect.kind,
        "data": new.effect.model_dump_json(),
        "lane": new.lane,
        "show_key": new.show_key,
        "cause": new.cause,
        "rank": new.rank,
        "budget": budget,
        "state": "held" if new.held else "waiting",
        "attempt": 0,
        "created_at": new.created_at,
        "not_before": new.not_before,
        "ended_at": None,
        "error": "",
    }


@dataclass(slots=True)
class TimerRows:
    """What happens to the timers. `ended` are rows that stand; `new` may hold some that ended within the batch."""

    new: list[Row] = field(default_factory=list)
    ended: list[Row] = field(default_factory=list)
    _mine: dict[tuple[int, str], Row] = field(default_factory=dict)
    _gone: set[tuple[int, str]] = field(default_factory=set)
    _fresh: set[int] = field(default_factory=set)
    """Incidents declared in this batch: they have no rows that could stand."""

    def add(self, changes: Changes, now: datetime) -> None:
        """Fold one case's changes in: what rang, what was taken back, then what is armed."""
        self._fresh.update(new.incident for new in changes.events if new.recorded.event.type == "declared")
        for number, kind, _, late in changes.fired:
            self._end((number, kind), {"state": "fired", "ended_at": now, "late_by": late, "why": ""})
        for number, kind, why in changes.disarm:
            self._end((number, kind), {"state": "cancelled", "ended_at": now, "late_by": 0.0, "why": why})
        for number, kind, due in changes.arm:
            self._end((number, kind), {"state": "cancelled", "ended_at": now, "late_by": 0.0, "why": "set anew"})
            row = {"incident": number, "kind": kind, "due": due, "state": "armed", "ended_at": None}
            row |= {"late_by": 0.0, "why": ""}
            self._mine[number, kind] = row
            self.new.append(row)

    def _end(self, timer: tuple[int, str], outcome: Row) -> None:
        mine = self._mine.pop(timer, None)
        if mine is not None:
            mine.update(outcome)
        elif timer not in self._gone and timer[0] not in self._fresh:
            self._gone.add(timer)
            named = {f"new_{name}": value for name, value in outcome.items()}
            self.ended.append({"timer_incident": timer[0], "timer_kind": timer[1], **named})
