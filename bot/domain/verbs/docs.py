"""docs/commands.md, made from the table of verbs: `python -m bot.domain.verbs.docs > docs/commands.md`."""

import sys

from bot.domain.verbs.model import Verb
from bot.domain.verbs.table import VERBS

_HEAD = """# Commands

<!-- Made from the table of verbs by `python -m bot.domain.verbs.docs`; a test keeps it so. -->

`/incident VERB …` in Slack, `@Tocsin VERB …` in any channel the bot is in, `tocsin incident VERB N …` on the command
line: the same verbs, the same rules. Outside the incident's own channel, name the incident first:
`/incident ack INC-7`. Words in brackets are optional. Bare `/incident` shows help with buttons.

| command | does | also | permission |
|---|---|---|---|
"""

_TAIL = """
- **Severities** may be written `sev1`, `SEV-1`, `1`, `p0` or `critical`; `p0`–`p3` mean SEV1–SEV4. In front of a title
  only the clear ones count (`sev1`, `p0`, `critical`): "high latency" and "2 nodes down" are titles.
- **People** are mentioned with @, anywhere in the command; `me` is you.
- **A service** is written `#checkout`, also where Slack makes a channel link of it. Where services are configured, any
  other `#word` in a title is a channel, and stays there; what looks like a slip of a service is refused.
- **Times** in `note 14:32 …` are the organisation's; `14:32:10`, `yesterday 23:50` and `2026-03-14 14:32` work too.
  What lies a few minutes ahead, by a clock that is fast, is now.
- **Overrides** of on-call read `from` and `until` in the rotation's own zone: `18:00`, `tomorrow 09:00`, `fri 17:00`,
  `2026-12-24 18:00`. Without `from` they begin at once.
- **Spans** are written `90s`, `15m`, `4h`, `5d`, `1w`. An action item may also be `due 3bd` (business days),
  `due 2026-12-01` or `due 2026-12-01 14:00`; a day ends with its business hours.
- **Quotes** around all of a text, straight or curly, are none of it: `title “Search is down”`.
- **A number alone** is the incident where it can be nothing else: `ack 7`, `resolve 7`.
- **On the command line** the incident's number comes first: `tocsin incident ack 7`. A service is named by
  `tocsin incident declare sev1 Checkout is down --service checkout`, or `#checkout` in quotes, for the shell's sake;
  people are `@U0123ABCD`; `--as` says which Slack user you are. Help of each: `tocsin incident ack --help`.
- A permission is a key under `permissions` in tocsin.yaml; left empty, everyone may. Where a second key is named, it
  counts while the first has nobody: `cancel: [S0003]` stands above `close`. To look at what can also be changed
  (`status`, `call`, `public review`) needs nothing, and whoever is offered the command may accept or decline. Admins
  may everything.
"""


def commands_page() -> str:
    """Return the page as Markdown."""
    return _HEAD + "\n".join(_row(verb) for verb in VERBS.values()) + "\n" + _TAIL


def _row(verb: Verb) -> str:
    also = ", ".join(f"`{alias}`" for alias in verb.aliases)
    return f"| `{_cell(verb.usage)}` | {_cell(verb.help)} | {also} | {_permission(verb)} |"


def _permission(verb: Verb) -> str:
    own = ", else ".join(f"`{key}`" for key in verb.need)
    return f"{own}; {verb.further.what} also `{verb.further.key}`" if verb.further else own


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(commands_page())
