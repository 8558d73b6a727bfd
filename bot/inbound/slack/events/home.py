"""App Home was opened: https://docs.slack.dev/reference/events/app_home_opened"""

from bot.domain.people import is_person
from bot.inbound.slack.counter import Body, Counter


async def opened(counter: Counter, body: Body) -> None:
    """Show it. The messages tab, which is told of in the same way, needs nothing."""
    event = body["event"]
    user = str(event.get("user") or "")
    if event.get("tab", "home") == "home" and is_person(user) and counter.homes is not None:
        event_id = body.get("event_id")
        await counter.homes.opened(user, f"slack:{event_id}" if event_id else "")
