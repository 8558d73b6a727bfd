"""One submitted form, read out of its payload."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.refusals import OldControl
from bot.inbound.slack.counter import Body
from bot.inbound.slack.origins import part
from bot.render.slack.views import VALUE
from bot.usecases.cases import Request


@dataclass(frozen=True, slots=True)
class Submission:
    """What somebody filled in: field → value (a list where several may be chosen)."""

    request: Request
    view_id: str
    channel: str = ""
    number: int | None = None
    warned: bool = False
    """Whoever submits it has been shown what looks the same."""
    place: str = ""
    """The message that the form is about: `slack:<channel>/<ts>`."""
    values: Mapping[str, str | list[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return the value of `name`; empty if nothing was filled in."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""

    def chosen(self, name: str) -> list[str]:
        """Return what was ticked under `name`."""
        value = self.values.get(name, [])
        return value if isinstance(value, list) else []

    @property
    def incident(self) -> int:
        """The incident that the form is about. Refuses a form that is about none."""
        if self.number is None:
            raise OldControl
        return self.number


def values_of(body: Body) -> dict[str, str | list[str]]:
    """Return field → value of every input that is named as ours are."""
    found: dict[str, str | list[str]] = {}
    for name, inputs in part(part(part(body, "view"), "state"), "values").items():
        element = inputs.get(VALUE) if isinstance(inputs, Mapping) else None
        if isinstance(element, Mapping):
            found[str(name)] = _value(element)
    return found


def _value(element: Mapping[str, Any]) -> str | list[str]:
    options = element.get("selected_options")
    if isinstance(options, list):
        return [str(option.get("value")) for option in options if isinstance(option, Mapping)]
    option = element.get("selected_option")
    if isinstance(option, Mapping):
        return str(option.get("value") or "")
    return str(element.get("value") or element.get("selected_user") or "")
