"""Rules of the public status page: drafted, approved, published; never without an approval, never private."""

from bot.domain import commands as c
from bot.domain import events as e
from bot.domain import refusals as r
from bot.domain.incident.context import Context, read_text, read_title
from bot.domain.incident.state import Draft, Incident, Published
from bot.domain.policy import Policy
from bot.domain.severity import Status

PUBLIC_TEXT_MAX = 5_000
_WORDS = {
    Status.INVESTIGATING: "We are investigating a problem with {what}. We will post an update as soon as we know more.",
    Status.IDENTIFIED: "We have found the cause of the problem with {what} and are working on a fix.",
    Status.MONITORING: "A fix for the problem with {what} is in place. We are watching the results.",
    Status.RESOLVED: "The problem with {what} is resolved.",
}


FALSE_ALARM = "Our report of a problem with {what} was a false alarm."
GOES_ON = "We go on working on the problem with {what} as part of another incident."


def auto_draft(declared: e.Declared, policy: Policy) -> e.PublicDrafted:
    """Return the first draft: careful words that name the public components, never the internal title."""
    components = policy.service(declared.service).components
    return e.PublicDrafted(
        version=1,
        title=_title(components),
        text=_draft_text(Status.INVESTIGATING, components),
        status=Status.INVESTIGATING,
        components=components,
        automatic=True,
    )


def _title(components: tuple[str, ...]) -> str:
    return f"Problem with {_what(components)}"


def _what(components: tuple[str, ...]) -> str:
    return ", ".join(components) if components else "our service"


def _draft_text(status: Status, components: tuple[str, ...]) -> str:
    return _WORDS[status].format(what=_what(components))


def _must_be_public(state: Incident) -> None:
    if state.private:
        raise r.PrivateNeverPublic(key=state.key)
    if state.status is Status.CANCELLED:
        raise r.FinallyCancelled(key=state.key)


def _public_status(state: Incident) -> Status:
    return Status.RESOLVED if state.status is Status.CLOSED else state.status


def draft_public(state: Incident, command: c.DraftPublic, ctx: Context) -> list[e.Event]:
    """Write the next public update; it replaces a waiting one, whose approval is void."""
    _must_be_public(state)
    status = command.status or _public_status(state)
    components = ctx.policy.service(state.service).components
    text = read_text(command.text, "", optional=True, limit=PUBLIC_TEXT_MAX) or _draft_text(status, components)
    title = (
        read_title(command.title)
        if command.title.strip()
        else (state.draft.title if state.draft else _title(components))
    )
    return [
        e.PublicDrafted(
            version=state.drafts + 1,
            title=title,
            text=text,
            status=status,
            components=components,
            automatic=not command.text,
        )
    ]


def _the_draft(state: Incident) -> Draft:
    if state.draft is None:
        raise r.NoDraft(key=state.key)
    return state.draft


def approve_public(state: Incident, command: c.ApprovePublic, ctx: Context) -> list[e.Event]:
    """Approve exactly the version that was read; where the policy asks for it, not by its author."""
    _must_be_public(state)
    draft = _the_draft(state)
    if command.version is not None and command.version != draft.version:
        raise r.DraftChanged(now=draft.version, seen=command.version)
    if draft.approved_by:
        raise r.NothingChanged(what="The public update is approved")
    if state.severity in ctx.policy.statuspage.approval.second_person and draft.author == ctx.actor:
        raise r.SecondPersonNeeded(severity=state.severity.label)
    return [e.PublicApproved(version=draft.version)]


def publish_public(state: Incident, command: c.PublishPublic, ctx: Context) -> list[e.Event]:
    """Publish the approved draft."""
    _must_be_public(state)
    draft = _the_draft(state)
    if not draft.approved_by:
        raise r.NotApproved
    return publish_events(state, ctx)


def discard_public(state: Incident, command: c.DiscardPublic, ctx: Context) -> list[e.Event]:
    """Throw the waiting draft away."""
    return [e.PublicDiscarded(version=_the_draft(state).version)]


def publish_events(state: Incident, ctx: Context, *, resolving: bool = False) -> list[e.Event]:
    """Return what publishes the approved draft.

    On resolving, what the public has seen must also end: an approved draft goes out and, if the page then still shows
    an open incident, the standard closing words follow, so that the page never says "investigating" for ever.
    """
    made: list[e.Event] = []
    seen: e.PublicPublished | Published | None = state.published
    draft = state.draft
    if draft and draft.approved_by and not state.private:
        seen = e.PublicPublished(
            version=draft.version,
            title=draft.title,
            text=draft.text,
            status=draft.status,
            components=draft.components,
            providers=tuple(ctx.policy.statuspage.providers),
        )
        made.append(seen)
    return made + _closing(seen, _WORDS[Status.RESOLVED], state, ctx) if resolving else made


def end_public(state: Incident, ctx: Context, words: str) -> list[e.Event]:
    """Return what ends the public story with fixed `words`, if the public sees an open one. No draft goes out."""
    return _closing(state.published, words, state, ctx)


def _closing(seen: e.PublicPublished | Published | None, words: str, state: Incident, ctx: Context) -> list[e.Event]:
    """The closing words are about what was published, whatever the incident is called and about by now."""
    if seen is None or not seen.status.is_active:
        return []
    return [
        e.PublicPublished(
            version=state.drafts + 1,
            title=seen.title or _title(seen.components),
            text=words.format(what=_what(seen.components)),
            status=Status.RESOLVED,
            components=seen.components,
            providers=tuple(ctx.policy.statuspage.providers),
        )
    ]


def delivered(state: Incident, command: c.PublicDelivered, ctx: Context) -> list[e.Event]:
    """A vendor's page shows the update."""
    return [
        e.PublicDeliveredTo(
            provider=command.provider, version=command.version, remote_id=command.remote_id, url=command.url
        )
    ]
