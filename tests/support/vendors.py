"""The vendors beside Slack, as fakes over HTTP: what stands with them is the other half of what an incident leaves."""

import asyncio
import json
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.outbound.vendors import (
    SECRET,
    FakeAlertmanager,
    FakePagerDuty,
    FakePagerDutyRest,
    FakeStatuspage,
    Vendor,
)
from tests.support.demo import ROOT

STARTS_WITHIN = 30.0
ALERTMANAGER = "TOCSIN_ALERTMANAGER_API_URL"
"""No variable of Tocsin's: its address is a setting."""


def _events() -> FakePagerDuty:
    return FakePagerDuty(
        json.loads((ROOT / "tests" / "fixtures" / "pagerduty" / "outgoing-calls.json").read_text())["events_api_v2"]
    )


@dataclass
class Vendors:
    """PagerDuty's two interfaces, Statuspage and Alertmanager. PagerDuty has an incident of its own: Q1."""

    pager: FakePagerDuty = field(default_factory=_events)
    rest: FakePagerDutyRest = field(default_factory=lambda: FakePagerDutyRest("Q1"))
    page: FakeStatuspage = field(default_factory=FakeStatuspage)
    sender: FakeAlertmanager = field(default_factory=FakeAlertmanager)

    @property
    def all(self) -> tuple[Vendor, ...]:
        """Each of them."""
        return self.pager, self.rest, self.page, self.sender

    @asynccontextmanager
    async def running(self) -> AsyncIterator[dict[str, str]]:
        """Serve them; yield the variables of a house beside them, and under ALERTMANAGER that one's address."""
        async with AsyncExitStack() as stack:
            yield {
                "PAGERDUTY_ROUTING_KEY": SECRET,
                "PAGERDUTY_EVENTS_URL": await stack.enter_async_context(self.pager.running()),
                "PAGERDUTY_API_TOKEN": SECRET,
                "PAGERDUTY_FROM": "bot@example.com",
                "PAGERDUTY_API_URL": await stack.enter_async_context(self.rest.running()),
                "STATUSPAGE_API_KEY": SECRET,
                "STATUSPAGE_PAGE_ID": "p1",
                "STATUSPAGE_API_URL": f"{await stack.enter_async_context(self.page.running())}/v1",
                "TOCSIN_ALERTMANAGER_API_TOKEN": SECRET,
                ALERTMANAGER: await stack.enter_async_context(self.sender.running()),
            }

    @contextmanager
    def beside(self) -> Iterator[dict[str, str]]:
        """The same for a test without a loop of its own: they serve in a thread, whoever else lives or dies."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="vendors", daemon=True)
        thread.start()
        serving = self.running()

        def there(coroutine: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result(STARTS_WITHIN)

        try:
            variables = there(serving.__aenter__())
            try:
                yield variables
            finally:
                there(serving.__aexit__(None, None, None))
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(STARTS_WITHIN)
            loop.close()

    def picture(self) -> dict[str, Any]:
        """Return what stands with each, without what differs from run to run."""
        pages = defaultdict(list)
        for key, actions in self.pager.alerts.items():
            pages[key.partition("/INC-")[2]] = list(dict.fromkeys(actions))
        tried = pages.pop("", [])  # a page's test has a key of its own
        return {
            "tried": tried,
            "pages": dict(pages),
            "answers": list(self.rest.changes),
            "silences": [
                (one["matchers"], one["comment"].partition(" [")[0], one["status"]["state"])
                for one in self.sender.silences.values()
            ],
            "public": [
                (one["name"], one["status"], [update["status"] for update in one["incident_updates"]])
                for one in self.page.incidents.values()
            ],
        }
