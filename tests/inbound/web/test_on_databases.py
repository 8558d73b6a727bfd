"""The same pages from the real store, on SQLite and PostgreSQL."""

import re

from bot.domain import commands as c
from bot.domain.policy import Policy
from bot.domain.record import Observation
from bot.domain.severity import Severity
from bot.storage.database import open_database
from bot.usecases.cases import Act, Observe, Open, Request
from bot.usecases.committer import Committer
from tests.inbound.web.house import House


async def test_an_incident_is_told_from_the_log_inside_and_outside(database_url: str, policy: Policy) -> None:
    async with open_database(database_url) as database:
        house = House(policy, reader=database)
        async with Committer(database, house.clock) as committer, house:

            async def do(number: int, command: c.Command, actor: str = "U0ANNA") -> None:
                await committer.submit(Act(Request(actor), number, command, policy))

            opened = c.Declare(title="Checkout is down", severity=Severity.SEV1, service="checkout")
            number = (await committer.submit(Open(Request("U0ANNA"), opened, policy))).incident
            hidden = c.Declare(title="Leaked keys", severity=Severity.SEV1, service="search", private=True)
            await committer.submit(Open(Request("U0ANNA"), hidden, policy))
            assert number
            house.shelf.wait(minutes=3)
            await do(number, c.Acknowledge(), "U0BEN")
            said = Observation(kind="message", key="k", channel="C1", ts="1.2", user="U0BEN", text="<b>looking</b>")
            await committer.submit(Observe(Request("U0BEN"), number, house.clock(), said))
            await do(number, c.DraftPublic("We are looking into it."))
            await do(number, c.ApprovePublic(), "U0BEN")
            await do(number, c.PublishPublic(), "U0BEN")

            body = await house.text("/status")
            assert "Major Service Outage" in body
            assert "We are looking into it." in body
            found = re.search("/status/incidents/[0-9a-f]{12}", body)
            assert found
            await house.text(found[0])

            await house.sign_in()
            assert "Leaked keys" not in await house.text("/incidents")
            await house.text("/incidents/2", 404)
            body = await house.text(f"/incidents/{number}")
            assert "Ben Ortiz acknowledged after 3m" in body
            assert "&lt;b&gt;looking&lt;/b&gt;" in body
            assert "acknowledged)" in body, "the response timer says why it stopped"
            await do(number, c.Resolve("Rolled back"))
            assert "Rolled back" in await house.text(f"/incidents/{number}/postmortem")
            body = await house.text("/status")
            assert "All Systems Operational" in body
            assert "The problem with Checkout is resolved." in body
            metrics = await house.text("/metrics")
            assert 'tocsin_incidents_open{severity="sev1"} 0.0' in metrics
