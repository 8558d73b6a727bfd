"""`page --test`: the way to somebody is proven before it is needed, without an incident.

Whoever is to be reached gets a direct message with a button; a pager gets an alert of its own, at once resolved. What
becomes of each is told to whoever asked.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import JsonValue

from bot.domain import commands as c
from bot.domain.audit import Audited, action_of
from bot.domain.effects import TryPager
from bot.domain.notices import Notice
from bot.domain.oncall import Reach, first_responders
from bot.domain.people import is_person
from bot.domain.policy import Policy
from bot.domain.refusals import NobodyToPage, NotAround, OldControl
from bot.domain.severity import Severity
from bot.ports.store import Answer, Changes, Claim, Keys, Loaded, NewEffect
from bot.usecases.cases import Request
from bot.usecases.notices import Announce, said

_TICKET = re.compile(r"([0-9]{1,20})\.([a-z0-9]{1,40})")


@dataclass(frozen=True, slots=True)
class TryPage:
    """Send a test to whoever `command.target` means now."""

    request: Request
    command: c.TryPage
    policy: Policy

    @property
    def command_id(self) -> str:
        return self.request.command_id

    def keys(self) -> Keys:
        return Keys()

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Raises Refused."""
        reached, asker = self._reached(now), self.request.actor
        ticket = f"{int(now.timestamp() * 1_000_000)}.{re.sub('[^a-z0-9]', '', asker.lower())[:40] or 'x'}"
        changes = Changes(Answer(kind="page_tried"), self.command_id)
        for user in reached.users:
            fields: dict[str, JsonValue] = {"by": asker, "ticket": f"{ticket}:{asker if is_person(asker) else '-'}"}
            notice = Notice(key=f"page-test/{ticket}/{user}", template="page_test", user=user, fields=fields, rank=1)
            said(changes, notice, now)
        changes.effects += [_pager(ticket, pager, asker, now) for pager in reached.pagers]
        line = (now, asker, self.request.surface, self.request.request_id, action_of(self.command), None, "done")
        changes.audit.append(Audited(*line))  # type: ignore[arg-type]  # the last one is a literal
        changes.answer = Answer(
            kind="page_tried",
            fields={
                "target": self.command.target,
                "event": {"users": reached.users, "usergroups": (), "pagers": reached.pagers},
                "skipped": reached.skipped,
                "groups": reached.usergroups,
            },
        )
        return changes

    def _reached(self, now: datetime) -> Reach:
        target = self.command.target
        if is_person(target):
            if target in self.policy.duty.gone:
                raise NotAround(user=target)
            return Reach((target,))
        reached = first_responders(self.policy, target, now)
        if not (reached.users or reached.pagers):
            raise NobodyToPage(what=target)
        return reached


def _pager(ticket: str, pager: str, asker: str, now: datetime) -> NewEffect:
    effect = TryPager(target=pager, ticket=ticket, asker=asker if is_person(asker) else "")
    return NewEffect.of_house(f"page-test:{ticket}:{pager}", effect, Severity.SEV1.rank, now)


def got_it(ticket: str, user: str, policy: Policy, now: datetime) -> Announce:
    """Return the case that tells whoever asked that `user` has the test; said once, however often it is pressed.

    `ticket` is what the button brought. Raises Refused for junk.
    """
    name, _, asker = ticket.partition(":")
    match = _TICKET.fullmatch(name)
    if match is None:
        raise OldControl
    sent = datetime.fromtimestamp(int(match[1]) / 1_000_000, UTC) if len(match[1]) < 18 else now
    fields: dict[str, JsonValue] = {"who": user, "seconds": max((now - sent).total_seconds(), 0.0)}
    return Announce(tuple(_to_asker(f"page-test/{name}/{user}/got", "page_test_got", asker, policy, fields)))


def pager_tried(effect: TryPager, error: str, policy: Policy) -> tuple[Notice, ...]:
    """Return what is said of a pager's test: taken, or why not, which a person may try again."""
    fields: dict[str, JsonValue] = {"pager": effect.target, "error": error}
    key = f"page-test/{effect.ticket}/{'refused' if error else 'pager'}/{effect.target}"[:200]
    return tuple(_to_asker(key, "page_test_pager", effect.asker, policy, fields))


def _to_asker(key: str, template: str, asker: str, policy: Policy, fields: dict[str, JsonValue]) -> Iterable[Notice]:
    """To the person who asked; a test asked for elsewhere is answered where the house speaks of itself."""
    if is_person(asker):
        yield Notice(key=key, template=template, user=asker, fields=fields, rank=1)
    elif policy.channels.house:
        yield Notice(key=key, template=template, channel=policy.channels.house, fields=fields, rank=1)
