"""What a PagerDuty event tells besides its incident's state, one small reader for each kind.

https://developer.pagerduty.com/docs/webhooks-overview#event-types – an event of another kind is none of ours.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from bot.domain.sender_news import News, What, person_name
from bot.inbound.alerts import reading as r

SOURCE: Final = "pagerduty"
NOTE_MAX: Final = 3000
"""Slack shows at most 3000 characters in a section; the whole note is at PagerDuty."""
LISTED_MAX: Final = 10
"""People, fields or numbers named of one event."""
Data = Mapping[str, Any]

# The key under which we page: bot/outbound/pagers/pagerduty.py. PagerDuty repeats it as the incident's key.
_OWN_PAGE: Final = re.compile(r"tocsin/(?P<installation>[^/]{1,100})/INC-(?P<number>[1-9][0-9]{0,17})/.+")


def news_of(kind: str, event: Data, item: Data) -> News | None:
    """Return what the event of type `kind` tells; None if it tells nothing beyond the state of its incident."""
    found = _READERS.get(kind)
    if found is None:
        return None
    what, read = found
    agent = event.get("agent")
    is_person = r.text(r.get(agent, "type"), 40) == "user_reference"
    installation, number = own_page(item)
    into = merged_into(item) if what == "resolved" else ""
    return News(
        source=SOURCE,
        fingerprint=incident_of(kind, item),
        what="merged" if into else what,
        who=person_name(r.text(r.get(agent, "summary"), 120)) if is_person else "",
        text=_heir(item, into) if into else read(item),
        url=_call_url(item) if what == "call" else "",
        into=into,
        at=r.moment(event.get("occurred_at")),
        installation=installation,
        incident=number,
    )


def implied(event: Data, item: Data) -> News:
    """Return what an incident that is acknowledged already tells to somebody who first hears of it now."""
    installation, number = own_page(item)
    return News(
        source=SOURCE,
        fingerprint=r.identity(item.get("id")),
        what="acknowledged",
        at=r.moment(event.get("occurred_at")),
        implied=True,
        installation=installation,
        incident=number,
    )


def is_about_an_incident(kind: str) -> bool:
    """True for the kinds that carry a reference to an incident instead of the incident."""
    return kind in _READERS and kind not in _FULL


def incident_of(kind: str, item: Data) -> str:
    """Return the id of PagerDuty's incident, wherever this kind of event has it; empty if it is not there."""
    if kind in _FULL:
        return r.identity(item.get("id"))
    if kind == "incident.role.assigned":
        return r.identity(r.get(_first(item.get("incident_role_assignments")), "incident", "id"))
    return r.identity(r.get(item, "incident", "id"))


def merged_into(item: Data) -> str:
    """Return the id of the incident that PagerDuty merged this one into, which closed it; empty if it did not."""
    reason = item.get("resolve_reason")
    return r.identity(r.get(reason, "incident", "id")) if r.get(reason, "type") == "merge_resolve_reason" else ""


def own_page(item: Data) -> tuple[str, int]:
    """Return (installation, incident number) if PagerDuty opened this incident for a page of a Tocsin; else ("", 0)."""
    match = _OWN_PAGE.fullmatch(r.text(item.get("incident_key"), 300))
    return (match["installation"], int(match["number"])) if match else ("", 0)


# --- readers: each returns the text; an empty one says that there is nothing to tell ---------------------------------
def _nothing(item: Data) -> str:
    return ""


def _heir(item: Data, into: str) -> str:
    return r.text(r.get(item, "resolve_reason", "incident", "summary"), 200) or into


def _assignees(item: Data) -> str:
    return _names(item.get("assignees")) or _policy(item)


def _policy(item: Data) -> str:
    return r.text(r.get(item, "escalation_policy", "summary"), 120)


def _priority(item: Data) -> str:
    return r.text(r.get(item, "priority", "summary"), 80) or "none"


def _service(item: Data) -> str:
    return r.text(r.get(item, "service", "summary"), 120)


def _type(item: Data) -> str:
    return r.text(r.get(item, "incident_type", "name"), 80)


def _note(item: Data) -> str:
    return _trimmed(r.words(item.get("content"), NOTE_MAX), item)


def _update(item: Data) -> str:
    return _trimmed(r.words(item.get("message"), NOTE_MAX), item)


def _trimmed(text: str, item: Data) -> str:
    return f"{text}\n(the rest is in PagerDuty)" if text and item.get("trimmed") is True else text


_STATES: Final = {"pending": "was asked to help", "accepted": "accepted", "declined": "declined"}


def _responder(item: Data) -> str:
    who = person_name(r.text(r.get(item, "user", "summary"), 120)) or _policy(item) or "somebody"
    state = r.text(item.get("state"), 40)
    asked = r.text(item.get("message"), 300) if state == "pending" else ""
    return f"{who} {_STATES.get(state, state or 'answered')}" + (f": {asked}" if asked else "")


def _numbers(item: Data) -> str:
    listed = item.get("conference_numbers")
    found = []
    for one in (listed if isinstance(listed, list) else [])[:LISTED_MAX]:
        label, number = r.text(r.get(one, "label"), 40), r.text(r.get(one, "number"), 60)
        if number:
            found.append(f"{label} {number}".strip())
    return ", ".join(found)


def _call_url(item: Data) -> str:
    return r.web_url(item.get("conference_url"))


def _fields(item: Data) -> str:
    """`environment: staging → production`: the event has the values as they are, and those that were."""
    now = {r.identity(r.get(one, "id")): one for one in _listed(item.get("custom_fields"))}
    found = []
    for old in _listed(item.get("changed_custom_fields")):
        new = now.get(r.identity(r.get(old, "id")))
        name = r.text(r.get(old, "name"), 60) or "a field"
        found.append(f"{name}: {_value(old)} → {_value(new)}")
    return ", ".join(found)


def _value(one: Any) -> str:
    value = r.get(one, "value")
    if isinstance(value, list):
        return ", ".join(filter(None, (r.text(part, 60) for part in value[:LISTED_MAX]))) or "nothing"
    return r.text(value, 120) or ("nothing" if value is None or value == "" else "something else")


def _roles(item: Data) -> str:
    found = []
    for one in _listed(item.get("incident_role_assignments")):
        who = person_name(r.text(r.get(one, "assignee", "summary"), 120)) or "nobody"
        found.append(f"{who} is {r.text(r.get(one, 'role', 'summary'), 80) or 'in a role'}")
    return ", ".join(found)


def _task(item: Data) -> str:
    name = r.text(item.get("name"), 200) or r.text(item.get("summary"), 200)
    state, people = r.text(item.get("status"), 40), _names(item.get("assignees"))
    return f"task {name} ({state or 'no status'})" + (f", for {people}" if people else "") if name else ""


def _workflow(how: str) -> Callable[[Data], str]:
    def read(item: Data) -> str:
        name = r.text(r.get(item, "incident_workflow", "summary"), 120) or r.text(item.get("summary"), 120)
        return f"workflow {name or 'without a name'} {how}"

    return read


def _action(item: Data) -> str:
    return (
        f"action {r.text(r.get(item, 'action', 'summary'), 120) or 'without a name'}: {r.text(item.get('state'), 40)}"
    )


def _names(value: object) -> str:
    return ", ".join(filter(None, (person_name(r.text(r.get(one, "summary"), 120)) for one in _listed(value))))


def _listed(value: object) -> Iterable[Any]:
    return value[:LISTED_MAX] if isinstance(value, list) else ()


def _first(value: object) -> Any:
    return value[0] if isinstance(value, list) and value else None


_READERS: Final[Mapping[str, tuple[What, Callable[[Data], str]]]] = {
    # These carry the whole incident.
    "incident.triggered": ("opened", _nothing),
    "incident.reopened": ("opened", _nothing),
    "incident.acknowledged": ("acknowledged", _nothing),
    "incident.unacknowledged": ("unacknowledged", _nothing),
    "incident.resolved": ("resolved", _nothing),
    "incident.escalated": ("escalated", _assignees),
    "incident.reassigned": ("reassigned", _assignees),
    "incident.delegated": ("delegated", _policy),
    "incident.priority_updated": ("priority", _priority),
    "incident.service_updated": ("service", _service),
    "incident.incident_type.changed": ("incident_type", _type),
    # These carry a reference to it.
    "incident.annotated": ("note", _note),
    "incident.status_update_published": ("status_update", _update),
    "incident.responder.added": ("responder", _responder),
    "incident.responder.replied": ("responder", _responder),
    "incident.conference_bridge.updated": ("call", _numbers),
    "incident.custom_field_values.updated": ("fields", _fields),
    "incident.role.assigned": ("role", _roles),
    "incident.task.created": ("task", _task),
    "incident.task.updated": ("task", _task),
    "incident.task.completed": ("task", _task),
    "incident.workflow.started": ("workflow", _workflow("started")),
    "incident.workflow.completed": ("workflow", _workflow("completed")),
    "incident.action_invocation.created": ("action", _action),
    "incident.action_invocation.updated": ("action", _action),
    "incident.action_invocation.terminated": ("action", _action),
}
_FULL: Final = frozenset(
    {
        "incident.triggered",
        "incident.reopened",
        "incident.acknowledged",
        "incident.unacknowledged",
        "incident.resolved",
        "incident.escalated",
        "incident.reassigned",
        "incident.delegated",
        "incident.priority_updated",
        "incident.service_updated",
        "incident.incident_type.changed",
    }
)
"""Kinds that carry the whole incident."""
