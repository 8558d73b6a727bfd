"""A whole incident, with at least one effect of every kind; each step is over before the next begins."""

from collections.abc import Awaitable, Callable

from tests.faults.site import ROOM, Site

STEPS = (
    (ROOM, "/incident public draft We are looking into failed payments."),
    (ROOM, "/incident public approve"),
    (ROOM, "/incident public publish"),
    (ROOM, "/incident ack"),
    (ROOM, "/incident call https://meet.example/one"),
    (ROOM, "/incident call https://meet.example/two"),
    (ROOM, "/incident update The pool is being restarted"),
    (ROOM, "/incident silence HighLatency 2h"),
    (ROOM, "/incident resolve the pool was restarted"),
    (ROOM, "/incident title Payments are down"),
    (ROOM, "/incident close"),
)


async def live(site: Site, after_each: Callable[[Site], Awaitable[None]] | None = None) -> None:
    """Go through the whole incident; `after_each` may mend what a step left broken."""
    await site.declare("sev1 Checkout is down #checkout")
    if after_each:
        await after_each(site)
    for channel, text in STEPS:
        if "silence" in text:
            await site.fire(1)
        if text == "/incident ack":
            await site.page_comes_in(1)
            await site.tell_the_house()
            await site.ask_people()
            await site.open_home()
            await site.say("incidents", "/incident page --test checkout")
            await site.quiet()
        await site.say(channel, text)
        await site.quiet()
        if after_each:
            await after_each(site)
    await site.until(lambda state: state.archived)
    await site.quiet()
    if after_each:
        await after_each(site)
    await site.say("incidents", "/incident INC-1 reopen because it is back")
    await site.quiet()
    if after_each:
        await after_each(site)
    await site.open_home()
    await site.quiet()
