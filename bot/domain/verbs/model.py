"""What a verb is, what it may turn into, and what its parser may know."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from bot.domain.commands import Command
from bot.domain.policy import Policy
from bot.domain.verbs.reading import Args

FormName: TypeAlias = Literal["declare", "update", "resolve", "public", "runbook", "title", "severity"]


@dataclass(frozen=True, slots=True)
class Query:
    """Something to look up and show to the asker only."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class OpenForm:
    """Ask for the rest in a form."""

    name: FormName


@dataclass(frozen=True, slots=True)
class UseRunbook:
    """Attach the runbook of this name; whoever has the library turns it into a command."""

    name: str


Wish: TypeAlias = Command | Query | OpenForm | UseRunbook
"""What a person wants."""


def nobody(word: str) -> str | None:
    """A directory that knows no names."""
    return None


@dataclass(frozen=True, slots=True)
class ParseContext:
    """What the words are read against.

    `escaped`: the text has Slack's `&lt;` and `<@U1|ann>`. `forms`: a form (or a button to one) can be offered.
    `find_person` returns the Slack id of a bare name, or None.
    """

    policy: Policy
    now: datetime
    actor: str = ""
    escaped: bool = False
    forms: bool = False
    find_person: Callable[[str], str | None] = nobody
    via: str = "slack"


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of the grammar; the table of them drives parsing, help, completion and the documentation."""

    name: str
    usage: str
    help: str
    parse: Callable[[Args, ParseContext], Wish]
    aliases: tuple[str, ...] = ()
    permission: str = ""
    """The key under `permissions` that limits it; empty: everyone."""
    reads: bool = False
    """True if it only ever answers."""
    incident: bool = True
    """True if it is about one incident: the channel's, or a leading INC-n."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """One understood request. `incident` is the INC-n that was written, if one was."""

    verb: Verb
    incident: int | None
    wish: Wish
