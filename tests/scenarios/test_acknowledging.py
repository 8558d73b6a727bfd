"""Whoever asks is answered from our own database: no answer waits for Slack, nor one for all the others."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from bot.simulator.control import Fault
from tests.faults.doors import TOKEN, alert, served
from tests.faults.site import Site, open_site
from tests.faults.surroundings import CONFIG

COMMANDS = 40
LATENCY_MS = 100
SLACK_WAITS = 3.0
"""Seconds: https://docs.slack.dev/interactivity/implementing-slash-commands#responding_with_confirmation_receipt"""
LONG_CALLS = CONFIG.replace("{call_timeout: 0.8s, lease: 3s}", "{call_timeout: 60s, lease: 90s}")


async def at_once(site: Site, words: str) -> tuple[list[float], list[str]]:
    """Let forty people type in the same instant; return how long each waited, in seconds, and what each was told."""

    async def one(n: int) -> tuple[float, str]:
        began = time.monotonic()
        said = await site.say("incidents", f"/incident {words} {n}")
        return time.monotonic() - began, str(said.get("text"))

    answered = await asyncio.gather(*map(one, range(COMMANDS)))
    return sorted(waited for waited, _ in answered), [said for _, said in answered]


async def test_forty_commands_and_webhooks_are_answered_while_slack_answers_nothing_at_all(tmp_path: Path) -> None:
    async with open_site(tmp_path, config=LONG_CALLS, TOCSIN_API_TOKENS=TOKEN) as site, served(site) as (base, browser):
        control = site.workspace.control
        asked = len(control.calls)
        control.faults = [Fault("silence", times=0)]
        batches = 0

        def count() -> None:
            nonlocal batches
            batches += 1

        site.house.committer.on_commit.append(count)
        _, said = await at_once(site, "declare sev2 Outage")
        assert all("declared as SEV2" in one for one in said), said
        assert batches <= COMMANDS / 2, "they are decided together, not one after the other"
        assert await asyncio.gather(*(alert(base, browser, "firing", f"s{n}") for n in range(5))) == ["opened"] * 5
        since = list(control.calls)[asked:]
        assert since, "Slack was asked for what follows"
        assert [call.method for call in since if call.done_at is not None] == [], "and has answered nothing"
        control.faults = []
        site.workspace._gate.closing.set()  # whoever waits for an answer is let go


async def test_forty_commands_at_once_are_answered_while_each_call_takes_100_ms(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Waiting for one call of Slack each, one after the other, they would take four seconds."""
    async with open_site(tmp_path) as site:
        await site.declare("sev3 Warm up")
        site.workspace.control.latency_ms = LATENCY_MS
        waited, said = await at_once(site, "declare sev2 Outage")
        assert all("declared as SEV2" in one for one in said), said
        record_property("p50_ms", round(1000 * waited[COMMANDS // 2]))
        record_property("p99_ms", round(1000 * waited[-1]))
        assert waited[-1] < SLACK_WAITS
