"""docs/commands.md, made from the table of verbs: `python -m bot.domain.verbs.docs > docs/commands.md`."""

import sys

from bot.domain.verbs.model import Verb
from bot.domain.verbs.table import VERBS

_HEAD = """# Commands

<!-- Made from the table of verbs by `python -m bot.domain.verbs.docs`; a test keeps it so. -->

`/incident VERB …` in Slack, `@Tocsin VERB …` in any channel the bot is in, `tocsin incident VERB N …` on the command
line: the same grammar, the same rules. Outside the incident's own channel, name the incident first:
`/incident ack INC-7`. Words in brackets are optional. Bare `/incident` shows help with buttons.

| command | does | also | permission |
|---|---|---|---|
"""

_TAIL = """
- **Severities** may be written `sev1`, `SEV-1`, `1`, `p0` or `critical`; `p0`–`p3` mean SEV1–SEV4. In front of a title
  only the clear ones count (`sev1`, `p0`, `critical`): "high latency" and "2 nodes down" are titles.
- **People** are mentioned with @, anywhere in the command; `me` is you.
- **A service** is written `#checkout`, also where Slack makes a channel link of it.
- **Times** in `note 14:32 …` are the organisation's; `yesterday 23:50` and `2026-03-14 14:32` work too.
- **Spans** are written `90s`, `15m`, `4h`, `5d`, `1w`.
- A permission is a key under `permissions` in tocsin.yaml; left empty, everyone may.
  `declare --private` also needs `private`; of `public`, only `approve` and `publish` need `approve`.
"""


def commands_page() -> str:
    """Return the page as Markdown."""
    return _HEAD + "\n".join(_row(verb) for verb in VERBS.values()) + "\n" + _TAIL


def _row(verb: Verb) -> str:
    also = ", ".join(f"`{alias}`" for alias in verb.aliases)
    return f"| `{_cell(verb.usage)}` | {_cell(verb.help)} | {also} | {verb.permission} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(commands_page())
