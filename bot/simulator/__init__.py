"""A Slack workspace on one's own machine: a part of the product, and a witness in its tests.

It imports nothing of the bot. To the bot it is Slack; PROTOCOL.md is its page's interface.
"""

from bot.simulator.settings import Pace, Sample, WorkspaceSettings
from bot.simulator.workspace import Workspace, workspace

__all__ = ["Pace", "Sample", "Workspace", "WorkspaceSettings", "workspace"]
