"""What a Slack message is made of here: templates in, Block Kit out, legal by construction."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.render.slack import ids, legal, limits, mrkdwn
from bot.render.texts import Safe, Texts

Block: TypeAlias = dict[str, Any]
"""One block, as Slack reads it; legal.py checks it, and tests hold it against Slack's own library (ADR 0011)."""
Element: TypeAlias = dict[str, Any]
"""A button or a menu within a block."""

_PART = re.compile("\x01([a-z_]+)\x02")


@dataclass(frozen=True, slots=True)
class Message:
    """A message: `text` is the notification (and all that a screen reader's summary says), `blocks` the content."""

    text: str
    blocks: list[Block] = field(default_factory=list)

    @property
    def words(self) -> str:
        """What its sections say, line by line, as mrkdwn. (`text` is one line.)"""
        texts = (block.get("text") for block in self.blocks if block["type"] == "section")
        return "\n".join(text["text"] for text in texts if text) or self.text


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of our own pages. `public_url` has no slash at its end."""

    public_url: str

    def incident(self, number: int) -> str:
        """The private page with the timeline."""
        return f"{self.public_url}/incidents/{number}"

    def postmortem(self, number: int) -> str:
        return f"{self.public_url}/incidents/{number}/postmortem"

    def runbook(self, name: str) -> str:
        return f"{self.public_url}/runbooks/{name}"

    @property
    def status_page(self) -> str:
        return f"{self.public_url}/status"

    def resolve(self, link: str, number: int) -> str:
        """Return the address behind a Bookmark effect's `link`: `runbook:NAME`, `incident:`, or a whole address."""
        kind, _, name = link.partition(":")
        if kind == "runbook":
            return self.runbook(name)
        return self.incident(number) if kind == "incident" else link


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that a message needs beyond the incident: the texts, the policy, the addresses."""

    texts: Texts
    policy: Policy
    links: Links
    silences: bool = False
    """Alertmanager can be asked to be silent."""

    def words(self, template: str, **values: Any) -> Safe:
        """Render `templates/slack/<template>.j2`, with mrkdwn's vocabulary at its hands."""
        return self.texts.mrkdwn(f"slack/{template}.j2", **mrkdwn.VOCABULARY, links=self.links, **values)

    def parts(self, template: str, **values: Any) -> dict[str, Safe]:
        """Render a template that is divided by `{{ part("name") }}`; parts that turn out empty are left out.

        The division is by control characters, which cleaning takes out of every value: data cannot forge one.
        """
        whole = self.words(template, part=_mark, **values)
        pieces = _PART.split(whole)[1:]
        return {name: Safe(text.strip()) for name, text in zip(pieces[::2], pieces[1::2], strict=True) if text.strip()}


def _mark(name: str) -> Safe:
    return Safe(f"\x01{name}\x02")


def message(notice: str, blocks: Iterable[Block]) -> Message:
    """Return a legal message. `notice` is mrkdwn; as a notification it is cut short."""
    return Message(mrkdwn.cut(" ".join(notice.split()) or "Tocsin", limits.NOTICE_TEXT), legal.fit(blocks))


def title(state: Incident) -> Safe:
    """Return the title for mrkdwn; one that was made up names its declarer, since it is no person's words."""
    if state.title_assumed:
        return Safe(f"{state.severity.label} declared by {mrkdwn.user(state.declared_by)}")
    return mrkdwn.unstyled(state.title)


def plain_title(state: Incident) -> str:
    """Return the title for plain_text, where no mention can be."""
    return "no title yet" if state.title_assumed else mrkdwn.plain(state.title, limits.HEADER_TEXT)


# --- blocks -----------------------------------------------------------------------------------------------


def markdown(text: str, limit: int = limits.SECTION_TEXT) -> dict[str, Any]:
    """Return a text object; `verbatim`, so that Slack finds no mention or channel in what people wrote."""
    return {"type": "mrkdwn", "text": mrkdwn.cut(text, limit), "verbatim": True}


def plain(text: str, limit: int) -> dict[str, Any]:
    """Return a text object in which nothing is read as markup but emoji."""
    return {"type": "plain_text", "text": mrkdwn.plain(text, limit), "emoji": True}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text, limits.HEADER_TEXT)}


def section(text: str, accessory: Element | None = None) -> Block:
    block: Block = {"type": "section", "text": markdown(text)}
    if accessory is not None:
        block["accessory"] = accessory
    return block


def sections(text: str) -> list[Block]:
    """Return a long text as as many sections as it takes."""
    return [section(piece) for piece in mrkdwn.split(text, limits.SECTION_TEXT)]


def fields(texts: Iterable[str]) -> Block:
    """Return short texts in two columns."""
    return {"type": "section", "fields": [markdown(text, limits.FIELD_TEXT) for text in texts][: limits.FIELDS]}


def context(*texts: str) -> Block:
    return {"type": "context", "elements": [markdown(text) for text in texts if text][: limits.CONTEXT_ELEMENTS]}


def actions(*elements: Element, block_id: str = "") -> Block:
    block: Block = {"type": "actions", "elements": list(elements)}
    if block_id:
        block["block_id"] = block_id
    return block


def button(action: str, label: str, value: object, style: str = "", asks: dict[str, Any] | None = None) -> Element:
    """Return a button; `asks` (of `question`) is what it asks before it does anything."""
    made: Element = {"type": "button", "action_id": action, "text": plain(label, limits.BUTTON_TEXT)}
    made["value"] = str(value)
    if style:
        made["style"] = style
    if asks:
        made["confirm"] = asks
    return made


def question(title: str, text: str, yes: str) -> dict[str, Any]:
    """Return what a control asks before it does anything."""
    return {
        "title": plain(title, limits.CONFIRM_TITLE),
        "text": plain(text, limits.CONFIRM_TEXT),
        "confirm": plain(yes, limits.CONFIRM_BUTTON),
        "deny": plain("Not yet", limits.CONFIRM_BUTTON),
    }


def link_button(n: int, label: str, url: str) -> Element | None:
    """Return a button that opens `url`; None if that is no http(s) address or too long."""
    address = mrkdwn.web_address(url)
    if not address or len(address) > limits.BUTTON_URL:
        return None
    return {
        "type": "button",
        "action_id": f"{ids.LINK}:{n}",
        "text": plain(label, limits.BUTTON_TEXT),
        "url": address,
    }


def option(value: str, label: str, description: str = "") -> dict[str, Any]:
    """Return a choice of a menu or of boxes."""
    made: dict[str, Any] = {"text": plain(label, limits.OPTION_TEXT), "value": value}
    if description:
        made["description"] = plain(description, limits.OPTION_TEXT)
    return made


def menu(action: str, placeholder: str, options: Sequence[dict[str, Any]], chosen: str | None) -> Element:
    """Return a menu of `options`, with the one whose value is `chosen`."""
    made: Element = {"type": "static_select", "action_id": action, "placeholder": prompt(placeholder)}
    made["options"] = list(options)
    first = next((one for one in options if one["value"] == chosen), None)
    if first is not None:
        made["initial_option"] = first
    return made


def select(action: str, placeholder: str, options: Mapping[str, str], chosen: str | None) -> Element:
    """Return a menu of value → label, with one chosen."""
    return menu(action, placeholder, [option(value, label) for value, label in options.items()], chosen)


def people(action: str, placeholder: str, chosen: str | None) -> Element:
    made: Element = {"type": "users_select", "action_id": action, "placeholder": prompt(placeholder)}
    if chosen:
        made["initial_user"] = chosen
    return made


def overflow(action: str, options: Mapping[str, str]) -> Element:
    return {
        "type": "overflow",
        "action_id": action,
        "options": [option(value, label) for value, label in options.items()],
    }


def prompt(text: str) -> dict[str, Any]:
    """Return the words in an empty control."""
    return {"type": "plain_text", "text": text}
