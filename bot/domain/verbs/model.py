"""What a verb is, what it may turn into, and what its parser may know."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from bot.domain.commands import Command
from bot.domain.policy import Policy
from bot.domain.verbs.reading import Args

FormName: TypeAlias = Literal[
    "declare", "update", "resolve", "public", "runbook", "title", "severity",
    "call", "cancel", "handoff", "merge", "note", "page", "override", "reopen", "role", "service",
    "task",
]  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class UseSilence:
    """Silence the firing alerts that `word` means, for `span`; whoever has the alerts turns it into a command."""

    word: str
    span: timedelta


@dataclass(frozen=True, slots=True)
class Undo:
    """Take a mistaken declaration back, as if it had not been; whoever knows when it was made, and by whom, judges."""


Wish: TypeAlias = Command | Query | OpenForm | UseRunbook | UseSilence | Undo
"""What a person wants."""


def nobody(word: str) -> str | None:
    """A directory that knows no names."""
    return None


@dataclass(frozen=True, slots=True)
class ParseContext:
    """What the words are read against.

    `escaped`: the text has Slack's `&lt;` and `<@U1|ann>`. `forms`: a form (or a button to one) can be offered.
    `find_person` returns the Slack id that a bare name, or an id, means, or None.
    """

    policy: Policy
    now: datetime
    actor: str = ""
    escaped: bool = False
    forms: bool = False
    find_person: Callable[[str], str | None] = nobody
    via: str = "slack"


Need: TypeAlias = tuple[str, ...]
"""Keys under `permissions`, the closest first: the first one that has holders decides."""


@dataclass(frozen=True, slots=True)
class Further:
    """Some of what a verb does needs one more permission, `key`. `what` names it in the documentation."""

    key: str
    what: str
    wanted: Callable[[Wish], bool]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of the grammar; the table of them drives parsing, permissions, help, completion and the documentation.

    Its permission is the key of its name under `permissions`.
    """

    name: str
    usage: str
    help: str
    parse: Callable[[Args, ParseContext], Wish]
    aliases: tuple[str, ...] = ()
    makes: tuple[type, ...] = ()
    """What it becomes. Whatever asks for the same, a button, a form or an emoji, needs the same permission."""
    form: FormName | None = None
    """The form that asks for its words."""
    asks: bool = False
    """True if it says nothing without words: bare, it opens its form where one can be shown."""
    permission: str = ""
    """A key under `permissions` that stands for several verbs: it counts where this one has no holders of its own."""
    further: Further | None = None
    free: tuple[type, ...] = ()
    """What of `makes` nothing limits: whoever was asked may answer."""
    limited: bool = True
    """False: whoever is refused all else must find out what to do."""
    reads: bool = False
    """True if it only ever answers."""
    incident: bool = True
    """True if it is about one incident: the channel's, or a leading INC-n."""
    number_is_incident: bool = False
    """True if a number alone after it can be nothing else than an incident: `ack 7`."""

    @property
    def need(self) -> Need:
        """The keys that limit it; none, if nothing does."""
        return tuple(dict.fromkeys(key for key in (self.name, self.permission) if key)) if self.limited else ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """One understood request. `incident` is the INC-n that was written, if one was."""

    verb: Verb
    incident: int | None
    wish: Wish
