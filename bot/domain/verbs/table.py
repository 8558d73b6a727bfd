"""The verbs, in the order in which help shows them. To add one: an entry here, its decision, its reaction."""

from collections.abc import Callable, Mapping
from typing import Final

from bot.domain.verbs import declaring, noting, working
from bot.domain.verbs.model import ParseContext, Query, Verb, Wish
from bot.domain.verbs.reading import Args


def _ask(name: str) -> Callable[[Args, ParseContext], Wish]:
    def parse(args: Args, ctx: ParseContext) -> Wish:
        return Query(name, args.rest())

    return parse


_TABLE: Final = (
    Verb(
        "declare",
        "declare [sev1…4] [title…] [#service] [--private] [--drill]",
        "declare an incident; bare, it opens a form",
        declaring.declare,
        aliases=("new", "open", "create"),
        permission="declare",
        incident=False,
    ),
    Verb("list", "list [all]", "the open incidents", _ask("list"), aliases=("ls",), reads=True, incident=False),
    Verb(
        "status",
        "status [investigating|identified|monitoring [text…]]",
        "show where it stands, or say so",
        working.status,
    ),
    Verb("ack", "ack", "you are on it: stops the response timer", working.acknowledge, aliases=("acknowledge",)),
    Verb(
        "sev",
        "sev 2 [because …]",
        "change the severity; lowering it needs a reason",
        working.severity,
        aliases=("severity",),
    ),
    Verb("title", "title …", "change the title", working.title, aliases=("rename",)),
    Verb("service", "service NAME", "say which service it is about", working.service),
    Verb("lead", "lead @someone", "make somebody the incident commander", working.lead, aliases=("ic", "commander")),
    Verb("role", "role NAME @someone", "give somebody a role: lead, comms, ops, scribe", working.role),
    Verb(
        "handoff",
        "handoff @someone | handoff accept",
        "offer the command; it moves when they accept",
        working.handoff,
        aliases=("handover",),
    ),
    Verb("update", "update text… [next 30m]", "post an internal update and promise the next one", noting.update),
    Verb("note", "note [14:32] text…", "add to the timeline, also for an earlier time", noting.note),
    Verb("runbook", "runbook [NAME]", "use a runbook; bare, choose from a list", noting.runbook),
    Verb("step", "step N done|skip|failed [note…]", "tick a step of the runbook", noting.step),
    Verb(
        "task",
        "task text… [@someone] [due 3d] | task done N",
        "an action item for afterwards",
        noting.task,
        aliases=("todo", "action"),
    ),
    Verb(
        "page",
        "page SERVICE|@someone [because …]",
        "page a person, or whoever is on call for a service",
        working.page,
        permission="page",
    ),
    Verb(
        "oncall",
        "oncall [SERVICE]",
        "who is on call now, and next",
        _ask("oncall"),
        aliases=("on-call",),
        reads=True,
        incident=False,
    ),
    Verb(
        "public",
        "public [draft|review|approve|publish|discard]",
        "the update on the status page",
        working.public,
        aliases=("statuspage",),
        permission="approve",
    ),
    Verb("mitigate", "mitigate [text…]", "the effect is gone; the same as `status monitoring`", working.mitigate),
    Verb("resolve", "resolve [text…]", "it is over: say what fixed it", working.resolve, aliases=("resolved",)),
    Verb("reopen", "reopen because …", "it was not over", working.reopen),
    Verb("close", "close", "everything is done, the postmortem too", working.close, permission="close"),
    Verb("cancel", "cancel because …", "it was no incident; final", working.cancel, permission="close"),
    Verb("merge", "merge INC-3", "fold this incident into another", working.merge, permission="close"),
    Verb("timeline", "timeline", "what happened, in order", _ask("timeline"), aliases=("log", "history"), reads=True),
    Verb("timers", "timers", "which clocks run, and when they ring", _ask("timers"), reads=True),
    Verb(
        "catchup",
        "catchup",
        "the short story for somebody who joins now",
        _ask("catchup"),
        aliases=("catch-up", "summary", "brief"),
        reads=True,
    ),
    Verb(
        "postmortem",
        "postmortem",
        "compile the postmortem, and link it",
        _ask("postmortem"),
        aliases=("post-mortem", "pm", "retro"),
        reads=True,
    ),
    Verb("retry", "retry", "try failed deliveries again", working.retry),
    Verb("help", "help [VERB]", "this list", _ask("help"), aliases=("commands", "?"), reads=True, incident=False),
)

VERBS: Final[Mapping[str, Verb]] = {verb.name: verb for verb in _TABLE}
"""Name → verb."""

SPOKEN: Final[Mapping[str, Verb]] = {word: verb for verb in _TABLE for word in (verb.name, *verb.aliases)}
"""Every name and alias → verb."""


def completions(command: str = "/incident") -> list[dict[str, str]]:
    """Return what a composer offers while somebody types: `{"text", "hint"}`."""
    return [{"text": f"{command} {verb.name}", "hint": f"{verb.usage} – {verb.help}"} for verb in _TABLE]
