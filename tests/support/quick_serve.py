"""`tocsin serve` with Slack's minute shortened to a second: 20 channels a second instead of 20 a minute.

    python -m tests.support.quick_serve serve

A storm of incidents would otherwise take as many minutes as Slack's rate limits ask for. Everything else is real.
"""

import sys
from unittest import mock

from bot.outbound.slack.budgets import LIMITS

SCALE = 60.0


def quick_limits() -> dict[str, tuple[int, float]]:
    """Return the bot's own rate limits with shorter windows."""
    return {name: (calls, seconds / SCALE) for name, (calls, seconds) in LIMITS.items()}


def main() -> int:
    """Run the command line under shorter windows."""
    import bot.wiring.house
    from bot.cli import run

    with mock.patch.object(bot.wiring.house, "LIMITS", quick_limits()):
        return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
