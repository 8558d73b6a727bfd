"""The case of trying again what the house could not deliver of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain import commands as c
from bot.domain.audit import Audited, action_of
from bot.domain.refusals import NothingUndelivered
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded
from bot.usecases.cases import Request


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Send what gave up back into the queue, all or one. `trusted` is for who sees private questions, too."""

    request: Request
    command: c.Redeliver
    trusted: bool

    @property
    def command_id(self) -> str:
        return self.request.command_id

    def keys(self) -> Keys:
        return Keys(undelivered=True)

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Raises Refused where there is nothing."""
        seen = [one.id for one in loaded.undelivered.values() if self.trusted or not one.private]
        picked = [one for one in seen if self.command.effect in ("", one)]
        if not picked:
            raise NothingUndelivered
        changes = Changes(Answer(kind="redelivered", fields={"effects": picked}), self.command_id, retry=picked)
        asked = self.request
        line = Audited(now, asked.actor, asked.surface, asked.request_id, action_of(self.command), None, "done")
        changes.audit.append(line)
        return changes
