"""The cases of late copies: a look is owed, a look was had."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.record import Entry, Observation
from bot.ports.delivery import Look
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded, NewEntry


@dataclass(frozen=True, slots=True)
class OweLooks:
    """Somebody who lost a claim has placed something: it has to be looked at."""

    looks: Sequence[Look]
    command_id: str = ""

    def keys(self) -> Keys:
        return Keys(incidents=frozenset(look.incident for look in self.looks if look.kind == "open_room"))

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Write them down."""
        return Changes(Answer(kind="owed"), looks=[one for look in self.looks if (one := _kept(look, loaded))])


def _kept(look: Look, loaded: Loaded) -> Look | None:
    """Of channels the one on record is kept, whoever made it. Is none on record yet, whoever makes it looks, too."""
    if look.kind != "open_room":
        return look
    state = loaded.incidents.get(look.incident)
    room = state.room if state else None
    return replace(look, placed=replace(look.placed, channel=room.channel)) if room else None


@dataclass(frozen=True, slots=True)
class Looked:
    """A look for late copies was had: what it removed goes on record. With `later`, it could not be had yet.

    `show_again`: it is about something shown, which is shown as it is now.
    """

    look: Look
    removed: Sequence[Observation]
    at: datetime
    later: datetime | None = None
    show_again: bool = False
    command_id: str = ""

    def keys(self) -> Keys:
        number = self.look.incident
        return Keys(
            records=frozenset({number} if self.removed else ()),
            entry_keys=frozenset((number, one.key) for one in self.removed),
        )

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Record each removal once, and owe nothing more."""
        changes = Changes(Answer(kind="looked"))
        if self.show_again:
            changes.show_again.append(self.look.effect)
        if self.later is None:
            changes.looked.append(self.look.id)
        else:
            changes.look_later.append((self.look.id, self.later))
        number = self.look.incident
        for one in self.removed:
            if (number, one.key) not in loaded.entry_keys:
                entry = Entry(seq=0, at=self.at, actor="tocsin", observation=one)
                changes.entries.append(NewEntry(number, entry))
        return changes
