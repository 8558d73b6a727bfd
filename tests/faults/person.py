"""Somebody who tries again what was refused for good, and refusals that last until then."""

import asyncio
from collections import Counter
from pathlib import Path

from bot import cli
from bot.domain.events import DeliveryRetried
from bot.render.slack import ids
from tests.faults.site import PATIENCE, ROOM, Site
from tests.faults.weather import Called
from tests.support.demo import words_of

NOTED = ("invite", "usergroups.users.list")
"""A group that cannot be read keeps the others out of no channel: the timeline names it, and nothing has failed."""
HOUSES_OWN = frozenset({"post_notice", "ask_triage", "show_triage", "show_home", "try_pager"})
"""What belongs to no incident stands on no card: `undelivered` lists it, and `redeliver` tries it again."""
SHOWN_ANEW = frozenset({"ask_triage", "show_triage", "show_home"})
"""Of these a newer one comes, or another place is asked, before anybody can look: one refusal each."""


class Person:
    """Presses Try again wherever it stands; or types the command in a shell, each time.

    `again` counts by kind what was tried again so.
    """

    def __init__(self, site: Site, folder: Path, *, in_a_shell: bool) -> None:
        self._site = site
        self._folder = folder
        self._in_a_shell = in_a_shell
        self._refused: dict[str, Called] = {}
        self._let_through: set[tuple[str, str]] = {NOTED}
        self._ended: set[str] = set()
        self.again: Counter[str] = Counter()
        self.shown: list[str] = []

    def strikes(self, called: Called) -> bool:
        """Refuse whatever an effect calls, each call until a person has tried the effect again.

        What tells of a refusal passes until it is told: without a channel, direct messages; and the card's update until
        a button stands on it. Who works in a shell needs neither.
        """
        if called.pair in self._let_through or called.kind in self._ended:
            return False
        if not self._in_a_shell and self._tells(called):
            return False
        self._refused[called.effect] = called
        if called.kind in SHOWN_ANEW:
            self._ended.add(called.kind)
        return True

    def _tells(self, called: Called) -> bool:
        if called.kind == "show_message":
            return not self._site.offers(ids.RETRY)
        return called.kind == "tell_user" and not self._site.messages(ROOM)

    async def try_again(self, site: Site) -> None:
        """Try again whatever failed, until nothing is left."""
        while undelivered := await site.database.undelivered():
            assert all(one.mend for one in undelivered), "each says what a person can do"
            if self._in_a_shell:
                await self._type("redeliver")
            else:
                await site.say("incidents", "/incident redeliver")
            for one in undelivered:
                self._let_through.add(self._refused[one.id].pair)
                self.again[one.effect.kind] += 1
            await site.quiet()
        while (state := await site.database.incident(1)) and state.failed:
            self.shown.append("\n".join(words_of(m) for m in site.messages(ROOM)))
            before = await self._retries()
            if self._in_a_shell:
                await self._type("retry", "1")
            else:
                assert await site.press(ids.RETRY), f"no button for {list(state.failed.values())}"
            while await self._retries() == before:
                await asyncio.wait_for(site.committed.wait(), PATIENCE)
                site.committed.clear()
            for effect in state.failed:
                refused = self._refused[effect]
                self._let_through.add(refused.pair)
                self.again[refused.kind] += 1
            await site.quiet()

    async def _retries(self) -> int:
        return sum(isinstance(item.event, DeliveryRetried) for item in await self._site.database.events(1))

    async def _type(self, *words: str) -> None:
        typed = ["--config", str(self._folder / "tocsin.yaml"), "incident", *words]
        assert await asyncio.to_thread(cli.run, typed) == 0
