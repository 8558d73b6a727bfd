"""The audit trail: who tried to change what, from where, and whether they were let.

The timeline tells an incident's story to those who may see it. This is the operator's: it also holds what was denied.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Audited:
    """One try. `action` is the command in snake case (`set_severity`); `reason` is why it was denied, empty if done."""

    at: datetime
    actor: str
    surface: str
    request_id: str
    action: str
    incident: int | None
    outcome: Literal["done", "denied"]
    reason: str = ""


def action_of(command: object) -> str:
    """Return the name under which a command stands in the trail."""
    return _HUMP.sub("_", type(command).__name__).lower()
