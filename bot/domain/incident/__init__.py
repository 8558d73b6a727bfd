"""One incident: its state, what may be done (`decide`), and what that changes (`evolve`)."""

from bot.domain.incident.decide import decide
from bot.domain.incident.evolve import evolve, fold
from bot.domain.incident.state import Draft, Handoff, Incident, LiveMessage, Published, Room, Task

__all__ = ["Draft", "Handoff", "Incident", "LiveMessage", "Published", "Room", "Task", "decide", "evolve", "fold"]
