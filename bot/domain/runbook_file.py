"""A runbook's Markdown file, read into data. docs/runbooks.md tells writers the format."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import frontmatter
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from bot.domain.durations import Duration
from bot.domain.events import Step
from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity, parse_severity

if TYPE_CHECKING:
    from markdown_it.token import Token

SECTIONS: Final = (
    "Symptoms", "Impact", "Diagnosis", "Resolution", "Verification", "Escalation", "Communication", "Prevention",
)  # fmt: skip
STEP_SECTIONS: Final = ("Diagnosis", "Resolution", "Verification")
SIZE_MAX: Final = 500_000
"""Characters of a file. A runbook that long serves nobody at 3 a.m."""

_MARK = re.compile(r"\s*[*_]{0,2}(expect|if not)[*_]{0,2}\s*:[*_]{0,2}\s*(.*)", re.IGNORECASE)


class Front(BaseModel):
    """The front matter."""

    model_config = ConfigDict(extra="ignore")
    title: str
    owner: str = ""
    severity: Severity | None = None
    matches: tuple[str, ...] = ()
    escalation: str | None = None
    review_every: Duration = timedelta(days=30)
    last_reviewed: date | None = None
    related: tuple[str, ...] = ()

    @field_validator("severity", mode="before")
    @classmethod
    def _word(cls, value: object) -> object:
        if value is None:
            return None
        if (found := parse_severity(str(value))) is None:
            raise ValueError("is none of sev1, sev2, sev3, sev4")
        return found

    @field_validator("matches", "related", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value or ()

    @field_validator("last_reviewed", mode="before")
    @classmethod
    def _day(cls, value: object) -> object:
        return value.date() if isinstance(value, datetime) else value


@dataclass(frozen=True, slots=True)
class Heading:
    """A second-level heading, and its line in the file."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Link:
    """A link's target, and its line in the file."""

    target: str
    line: int


@dataclass(frozen=True, slots=True)
class Page:
    """A file read whole: the runbook, and what only lint looks at."""

    runbook: Runbook
    keys: tuple[str, ...]
    headings: tuple[Heading, ...]
    links: tuple[Link, ...]
    numbers: tuple[tuple[int, int], ...]
    """(number written, line) of each step."""
    body: str
    body_line: int
    """The file's line on which `body` begins, from 1."""


def read_page(text: str, name: str) -> Page:
    """Return everything in the file. Raises ValueError."""
    if len(text) > SIZE_MAX:
        raise ValueError(f"the file has more than {SIZE_MAX} characters")
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    data, body = _split(text)
    try:
        front = Front.model_validate(data)
    except ValidationError as exc:
        first = exc.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"front matter, {key}: {first['msg'].removeprefix('Value error, ')}") from exc
    offset = text.count("\n", 0, text.rindex(body)) if body else text.count("\n")
    from markdown_it import MarkdownIt  # a start need not wait for it

    tokens = MarkdownIt("commonmark").parse(body)
    headings = _headings(tokens)
    lines = body.split("\n")
    steps, numbers = _steps(tokens, headings, lines)
    runbook = Runbook(
        name=name,
        title=front.title,
        digest=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(),
        steps=tuple(steps),
        owner=front.owner,
        severity=front.severity,
        matches=front.matches,
        escalation=front.escalation,
        review_every=front.review_every,
        last_reviewed=front.last_reviewed,
        related=front.related,
        sections=_sections(headings, lines),
    )
    return Page(
        runbook=runbook,
        keys=tuple(data),
        headings=tuple(Heading(h.text, h.line + offset + 1) for h in headings),
        links=tuple(Link(link.target, link.line + offset + 1) for link in _links(tokens)),
        numbers=tuple((number, line + offset + 1) for number, line in numbers),
        body=body,
        body_line=offset + 1,
    )


def _split(text: str) -> tuple[dict[str, Any], str]:
    try:
        data, body = frontmatter.parse(text)
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f", line {mark.line + 2}" if mark else ""
        raise ValueError(f"front matter{where}: not YAML: {getattr(exc, 'problem', None) or exc}") from exc
    if not data:
        raise ValueError("there is no front matter between two lines of ---")
    return {str(key): value for key, value in data.items()}, body


def _headings(tokens: list["Token"]) -> list[Heading]:
    return [
        Heading(tokens[n + 1].content.strip(), token.map[0])
        for n, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h2" and token.map
    ]


def _sections(headings: list[Heading], lines: list[str]) -> dict[str, str]:
    ends = [*[h.line for h in headings[1:]], len(lines)][: len(headings)]
    return {h.text: "\n".join(lines[h.line + 1 : end]).strip() for h, end in zip(headings, ends, strict=True)}


def _links(tokens: list["Token"]) -> list[Link]:
    found = []
    for token in tokens:
        for child in token.children or ():
            target = child.attrGet("href") if child.type == "link_open" else None
            if child.type == "image":
                target = child.attrGet("src")
            if isinstance(target, str):
                found.append(Link(target, token.map[0] if token.map else 0))
    return found


def _steps(
    tokens: list["Token"], headings: list[Heading], lines: list[str]
) -> tuple[list[Step], list[tuple[int, int]]]:
    """The items of top-level numbered lists in the sections that hold steps, counted through the whole file."""
    steps: list[Step] = []
    numbers: list[tuple[int, int]] = []
    in_list = False
    for n, token in enumerate(tokens):
        if token.type in ("ordered_list_open", "ordered_list_close") and token.level == 0:
            in_list = token.type == "ordered_list_open"
        if not (in_list and token.type == "list_item_open" and token.level == 1 and token.map):
            continue
        line = token.map[0]
        section = next((h.text for h in reversed(headings) if h.line < line), "")
        known = next((name for name in STEP_SECTIONS if name.casefold() == section.casefold()), None)
        if known:
            numbers.append((int(token.info or 0), line))
            steps.append(_step(tokens, n, len(steps) + 1, known, lines))
    return steps, numbers


def _step(tokens: list["Token"], start: int, number: int, section: str, lines: list[str]) -> Step:
    """Read one list item: its text, the first fenced command, and the paragraphs that begin Expect: and If not:."""
    parts: dict[str, list[str]] = {"text": [], "expect": [], "if_not": []}
    command = language = ""
    for token in _children(tokens, start):
        if token.type == "paragraph_open" and token.map:
            inline = next(t for t in tokens[start:] if t.type == "inline" and t.map == token.map)
            _read_paragraph(inline.content, parts)
        elif token.type in ("fence", "code_block") and not command:
            command, language = token.content.rstrip("\n"), token.info.split(" ")[0]
        elif token.map:
            parts["text"].append(_dedent(lines[token.map[0] : token.map[1]]))
    words = {name: "\n".join(found).strip() for name, found in parts.items()}
    return Step(number=number, section=section, command=command, language=language, **words)


def _children(tokens: list["Token"], start: int) -> list["Token"]:
    """The blocks that stand directly in the list item which opens at `start`."""
    level = tokens[start].level + 1
    found = []
    for token in tokens[start + 1 :]:
        if token.level < level:
            break
        if token.level == level and token.nesting >= 0:
            found.append(token)
    return found


def _read_paragraph(content: str, parts: dict[str, list[str]]) -> None:
    current = "text"
    for line in content.split("\n"):
        if mark := _MARK.fullmatch(line):
            current = "expect" if mark[1].casefold() == "expect" else "if_not"
            line = mark[2]
        parts[current].append(line.strip())


def _dedent(lines: list[str]) -> str:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)
