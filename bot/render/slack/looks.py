"""How severities, statuses and marks look: always a word beside the colour."""

from typing import Final

from bot.domain.incident import Incident
from bot.domain.severity import Severity, Status

SEVERITY: Final = {Severity.SEV1: "🔴", Severity.SEV2: "🟠", Severity.SEV3: "🟡", Severity.SEV4: "🔵"}
STATUS: Final = {
    Status.INVESTIGATING: "🔎",
    Status.IDENTIFIED: "🎯",
    Status.MONITORING: "👀",
    Status.RESOLVED: "✅",
    Status.CLOSED: "📁",
    Status.CANCELLED: "🚫",
}
STEP: Final = {"done": "✅", "skipped": "⏭️", "failed": "❌", "open": "⬜"}


def severity(level: Severity) -> str:
    """Return `🔴 SEV1`."""
    return f"{SEVERITY[level]} {level.label}"


def status(status: Status) -> str:
    """Return `🔎 Investigating`."""
    return f"{STATUS[status]} {status.capitalize()}"


def marks(state: Incident) -> str:
    """Return `🔒 PRIVATE · 🧪 DRILL ·` as far as they apply; otherwise empty."""
    found = ["🔒 PRIVATE"] * state.private + ["🧪 DRILL"] * state.drill
    return "".join(f"{mark} · " for mark in found)
