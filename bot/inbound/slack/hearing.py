"""Events go past Bolt: a dozen per incident are echoes of our own posts, and routing cost more than hearing them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog

from bot.inbound.slack.counter import Counter
from bot.inbound.slack.events import EVENTS
from bot.ports.store import Unavailable

log = structlog.get_logger()
MISSHAPEN: Final = (LookupError, TypeError, AttributeError, ValueError)
"""What reading a payload of another shape than Slack's raises: sent again it would be the same."""


def is_event(body: object) -> bool:
    """True for what happened in the workspace; False for what a person asks of us, and for Slack's handshakes."""
    return isinstance(body, Mapping) and body.get("type") == "event_callback"


async def hear(counter: Counter, body: dict[str, Any]) -> HTTPStatus:
    """Record an event; return OK once it is taken, or SERVICE_UNAVAILABLE so that Slack sends it again.

    Who is being stopped takes none: it is sent again to another replica, or to the next process. An event of a kind
    that nobody here listens to is taken: it would never be of another kind.
    """
    if counter.stop.told:
        return HTTPStatus.SERVICE_UNAVAILABLE
    event = body.get("event")
    handler = EVENTS.get(str(event.get("type"))) if isinstance(event, Mapping) else None
    if handler is None:
        return HTTPStatus.OK
    try:
        await handler(counter, body)
    except Unavailable as exc:
        log.warning("slack event not saved", error=str(exc))
        return HTTPStatus.SERVICE_UNAVAILABLE
    except MISSHAPEN as exc:
        log.error("slack request failed", error=type(exc).__name__, exc_info=exc)
        return HTTPStatus.OK
    except Exception as exc:
        # The last net, as Bolt's error handler is for what people ask: a mistake of ours may be mended by the repeat.
        log.error("slack request failed", error=type(exc).__name__, exc_info=exc)
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.OK
