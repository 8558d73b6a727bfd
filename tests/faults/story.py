"""A whole incident, with at least one effect of every kind; each step is over before the next begins."""

from collections.abc import Awaitable, Callable

from tests.faults.site import ROOM, Site

STEPS = (
    ("incidents", "/incident declare sev1 Checkout is down #checkout"),
    (ROOM, "/incident public draft We are looking into failed payments."),
    (ROOM, "/incident public approve"),
    (ROOM, "/incident public publish"),
    (ROOM, "/incident ack"),
    (ROOM, "/incident update The pool is being restarted"),
    (ROOM, "/incident resolve the pool was restarted"),
)


async def live(site: Site, after_each: Callable[[Site], Awaitable[None]] | None = None) -> None:
    """Go through the whole incident; `after_each` may mend what a step left broken."""
    for channel, text in STEPS:
        await site.say(channel, text)
        await site.quiet()
        if after_each:
            await after_each(site)
