"""What a Slack message is made of here: templates in, Block Kit out, legal by construction."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    OverflowMenuElement,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
    UserSelectElement,
)
from slack_sdk.models.blocks.block_elements import InteractiveElement

from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.render.slack import ids, legal, limits, mrkdwn
from bot.render.texts import Safe, Texts

_PART = re.compile("\x01([a-z_]+)\x02")


@dataclass(frozen=True, slots=True)
class Message:
    """A message: `text` is the notification (and all that a screen reader's summary says), `blocks` the content."""

    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)

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


def message(notice: str, blocks: Iterable[Block | dict[str, Any]]) -> Message:
    """Return a legal message. `notice` is mrkdwn; as a notification it is cut short."""
    return Message(mrkdwn.cut(" ".join(notice.split()) or "Tocsin", limits.NOTICE_TEXT), legal.fit(blocks))


def title(state: Incident) -> Safe:
    """Return the title for mrkdwn; one that was made up names its declarer, since it is no person's words."""
    if state.title_assumed:
        return Safe(f"{state.severity.label} declared by {mrkdwn.user(state.declared_by)}")
    return mrkdwn.words(state.title)


def plain_title(state: Incident) -> str:
    """Return the title for plain_text, where no mention can be."""
    return "no title yet" if state.title_assumed else mrkdwn.plain(state.title, limits.HEADER_TEXT)


# --- blocks -----------------------------------------------------------------------------------------------


def markdown(text: str, limit: int = limits.SECTION_TEXT) -> MarkdownTextObject:
    """Return a text object; `verbatim`, so that Slack finds no mention or channel in what people wrote."""
    return MarkdownTextObject(text=mrkdwn.cut(text, limit), verbatim=True)


def header(text: str) -> HeaderBlock:
    return HeaderBlock(text=PlainTextObject(text=mrkdwn.plain(text, limits.HEADER_TEXT), emoji=True))


def section(text: str, accessory: InteractiveElement | None = None, *, block_id: str | None = None) -> SectionBlock:
    return SectionBlock(text=markdown(text), accessory=accessory, block_id=block_id)


def sections(text: str) -> list[Block]:
    """Return a long text as as many sections as it takes."""
    return [section(piece) for piece in mrkdwn.split(text, limits.SECTION_TEXT)]


def fields(texts: Iterable[str]) -> SectionBlock:
    """Return short texts in two columns."""
    return SectionBlock(fields=[markdown(text, limits.FIELD_TEXT) for text in texts][: limits.FIELDS])


def context(*texts: str) -> ContextBlock:
    return ContextBlock(elements=[markdown(text) for text in texts if text][: limits.CONTEXT_ELEMENTS])


def actions(*elements: InteractiveElement, block_id: str | None = None) -> ActionsBlock:
    return ActionsBlock(elements=list(elements), block_id=block_id)


def button(action: str, label: str, value: object, style: str | None = None) -> ButtonElement:
    return ButtonElement(
        action_id=action,
        text=PlainTextObject(text=mrkdwn.plain(label, limits.BUTTON_TEXT), emoji=True),
        value=str(value),
        style=style,
    )


def link_button(n: int, label: str, url: str) -> ButtonElement | None:
    """Return a button that opens `url`; None if that is no http(s) address or too long."""
    address = mrkdwn.web_address(url)
    if not address or len(address) > limits.BUTTON_URL:
        return None
    text = PlainTextObject(text=mrkdwn.plain(label, limits.BUTTON_TEXT), emoji=True)
    return ButtonElement(action_id=f"{ids.LINK}:{n}", text=text, url=address)


def option(value: str, label: str) -> dict[str, Any]:
    """Return an option as data, checked by legal.py: a runbook has three a step, and the library is slow at them."""
    text = {"type": "plain_text", "text": mrkdwn.plain(label, limits.OPTION_TEXT), "emoji": True}
    return {"text": text, "value": value}


def select(action: str, placeholder: str, options: Mapping[str, str], chosen: str | None) -> StaticSelectElement:
    """Return a menu of value → label, with one chosen."""
    made = {value: option(value, label) for value, label in options.items()}
    return StaticSelectElement(
        action_id=action,
        placeholder=PlainTextObject(text=placeholder),
        options=list(made.values()),
        initial_option=made.get(chosen or ""),
    )


def people(action: str, placeholder: str, chosen: str | None) -> UserSelectElement:
    return UserSelectElement(action_id=action, placeholder=PlainTextObject(text=placeholder), initial_user=chosen)


def overflow(action: str, options: Mapping[str, str]) -> OverflowMenuElement:
    made: list[Any] = [option(value, label) for value, label in options.items()]
    return OverflowMenuElement(action_id=action, options=made)
