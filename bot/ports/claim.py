"""Whether the claim under which something is being carried out still holds: asked right before any byte leaves.

A process may be frozen between two calls of one effect, or on its way to the first, and wake up when another has long
taken its work over (docs/architecture.md, "Delivery"). Whoever carries an effect out says how to tell; whoever calls
a vendor asks.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bot.ports.delivery import DeliveryError

Holds = Callable[[], bool]
_HOLDS: ContextVar[Holds | None] = ContextVar("holds", default=None)


@contextmanager
def while_claimed(holds: Holds) -> Iterator[None]:
    """Within it, and in whatever is started within it, a call is made only while `holds()`."""
    before = _HOLDS.set(holds)
    try:
        yield
    finally:
        _HOLDS.reset(before)


def must_hold() -> None:
    """Raise DeliveryError if the claim has ended: nothing may leave. Without a claim nothing is asked."""
    holds = _HOLDS.get()
    if holds is not None and not holds():
        raise DeliveryError("the claim ended before the call could leave", untouched=True)
