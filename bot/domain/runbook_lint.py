"""What is wrong with a runbook, said so that its writer can mend it. docs/runbooks.md says what is right."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.domain.matchers import Matcher
from bot.domain.matchers import parse as parse_matchers
from bot.domain.regex_samples import samples
from bot.domain.runbook_file import SECTIONS, Front, Page
from bot.domain.runbook_match import Shelf
from bot.domain.runbooks import Runbook
from bot.domain.severity import Severity

VARIABLES: Final = {"labels": None, "annotations": None, "incident": ("number", "key", "title")}
"""Root → the names below it; None: any."""
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend. A warning does not fail the check."""

    name: str
    line: int
    text: str
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.name}.md:{self.line}: {self.level}: {self.text}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a runbook may refer to. `services` empty: none is configured, so any name is taken."""

    today: date
    escalations: Collection[str] = ()
    services: Collection[str] = ()
    runbooks: Collection[str] = ()
    exists: Callable[[str], bool] = field(default=lambda _: True)
    """Whether a path, relative to the runbooks' folder, is a file."""


def lint(pages: Sequence[Page], around: Surroundings) -> list[Problem]:
    """Return every problem of all `pages`, by file and line."""
    found = [problem for page in pages for problem in lint_page(page, around)]
    found += lint_ties([page.runbook for page in pages])
    return sorted(found)


def lint_page(page: Page, around: Surroundings) -> list[Problem]:
    """Return the problems of one file."""
    checks = (_front, _sections, _steps, _matchers, _links, _variables, _quotes, _age)
    return sorted(problem for check in checks for problem in check(page, around))


def _front(page: Page, around: Surroundings) -> Iterable[Problem]:
    book = page.runbook
    for key in page.keys:
        if key not in Front.model_fields:
            yield Problem(book.name, 1, f"front matter: there is no key {key!r}")
    if book.escalation and book.escalation not in ("default", *around.escalations):
        yield Problem(book.name, 1, f"escalation {book.escalation!r} is not under `escalations` in the settings")
    for other in book.related:
        if other not in around.runbooks:
            yield Problem(book.name, 1, f"related: there is no runbook {other!r}")


def _sections(page: Page, _: Surroundings) -> Iterable[Problem]:
    name = page.runbook.name
    order = {section.casefold(): n for n, section in enumerate(SECTIONS)}
    present = [(order[h.text.casefold()], h) for h in page.headings if h.text.casefold() in order]
    have = {n for n, _ in present}
    for n, section in enumerate(SECTIONS):
        if n not in have:
            yield Problem(name, page.body_line, f"the section {section} is missing")
    highest = -1
    for n, heading in present:
        if n == highest:
            yield Problem(name, heading.line, f"the section {heading.text} comes twice")
        elif n < highest:
            yield Problem(name, heading.line, f"the section {heading.text} must come before {SECTIONS[highest]}")
        highest = max(highest, n)
    for heading in page.headings:
        if heading.text.casefold() not in order:
            yield Problem(name, heading.line, f"{heading.text} is none of the eight sections: {', '.join(SECTIONS)}")
    for section in SECTIONS:
        text = next((t for h, t in (page.runbook.sections or {}).items() if h.casefold() == section.casefold()), None)
        if text == "":
            line = next(h.line for h in page.headings if h.text.casefold() == section.casefold())
            yield Problem(name, line, f"the section {section} is empty")


def _steps(page: Page, _: Surroundings) -> Iterable[Problem]:
    book = page.runbook
    if not any(step.section == "Resolution" and step.command for step in book.steps):
        line = next((h.line for h in page.headings if h.text.casefold() == "resolution"), page.body_line)
        yield Problem(book.name, line, "Resolution has no step with a command: what does one type to end it?")
    for wanted, (number, line) in enumerate(page.numbers, start=1):
        if number != wanted:
            text = f"this is step {wanted} but is numbered {number}: number them through the whole file"
            yield Problem(book.name, line, text, "warning")
            return


def _matchers(page: Page, around: Surroundings) -> Iterable[Problem]:
    name = page.runbook.name
    for entry in page.runbook.matches:
        try:
            matchers = parse_matchers(entry)
        except ValueError as exc:
            yield Problem(name, 1, f"matches: {exc}")
            continue
        for m in matchers:
            if m.name == "service" and m.op == "=" and around.services and m.value not in around.services:
                yield Problem(name, 1, f"matches: service {m.value!r} is not under `services` in the settings")


def _links(page: Page, around: Surroundings) -> Iterable[Problem]:
    for link in page.links:
        if _PLACEHOLDER.search(unquote(link.target)):
            continue
        try:
            parts = urlsplit(link.target)
        except ValueError:
            yield Problem(page.runbook.name, link.line, f"the link {link.target!r} cannot be read")
            continue
        if parts.scheme in ("http", "https", "mailto") or (not parts.scheme and not parts.path and parts.fragment):
            continue
        if parts.scheme or parts.netloc:
            yield Problem(page.runbook.name, link.line, f"the link {link.target!r} is neither http(s) nor a file")
        elif not around.exists(unquote(parts.path)):
            yield Problem(page.runbook.name, link.line, f"the link {link.target!r} leads to no file")


def _variables(page: Page, _: Surroundings) -> Iterable[Problem]:
    """Every placeholder names something that an incident has, and no template statement hides in the text."""
    name, environment = page.runbook.name, ImmutableSandboxedEnvironment()
    try:
        tree = environment.parse(page.body)
    except TemplateSyntaxError as exc:
        yield Problem(name, page.body_line + (exc.lineno or 1) - 1, f"a placeholder cannot be read: {exc.message}")
        return
    below = {id(node.node): node for node in tree.find_all(nodes.Getattr) if isinstance(node.node, nodes.Name)}
    below |= {id(node.node): node for node in tree.find_all(nodes.Getitem) if isinstance(node.node, nodes.Name)}  # type: ignore[misc]
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    for node in tree.find_all(nodes.Name):
        line = page.body_line + node.lineno - 1
        if node.name in own:
            continue
        if node.name not in VARIABLES:
            yield Problem(name, line, f"{{{{ {node.name} }}}} is undefined; there are labels, annotations and incident")
            continue
        parent, allowed = below.get(id(node)), VARIABLES[node.name]
        attribute = parent.attr if isinstance(parent, nodes.Getattr) else None
        if allowed is not None and attribute is not None and attribute not in allowed:
            known = ", ".join(allowed)
            yield Problem(name, line, f"{{{{ {node.name}.{attribute} }}}} is undefined; incident has {known}")


def _quotes(page: Page, _: Surroundings) -> Iterable[Problem]:
    """Values come quoted: inside quotes of the writer's, the quoting ends there and a label could become a command."""
    for step in page.runbook.steps:
        for match in _PLACEHOLDER.finditer(step.command):
            if _inside_quotes(step.command[: match.start()]):
                line = page.numbers[step.number - 1][1]
                text = f"step {step.number}: {match[0]} stands inside quotes; take them off, the value comes quoted"
                yield Problem(page.runbook.name, line, text)


def _inside_quotes(before: str) -> bool:
    quote, escaped = "", False
    for char in _PLACEHOLDER.sub("", before):
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
    return bool(quote)


def _age(page: Page, around: Surroundings) -> Iterable[Problem]:
    book = page.runbook
    if book.last_reviewed is None:
        yield Problem(book.name, 1, "it was never reviewed: set last_reviewed", "warning")
    elif book.last_reviewed > around.today:
        yield Problem(book.name, 1, f"last_reviewed {book.last_reviewed} lies in the future", "warning")
    elif book.last_reviewed + book.review_every < around.today:
        days = (around.today - book.last_reviewed).days
        yield Problem(book.name, 1, f"its review is overdue: the last one was {days} days ago", "warning")


# --- ties ---------------------------------------------------------------------------------------
def lint_ties(runbooks: Sequence[Runbook]) -> list[Problem]:
    """Return a problem for each pair of runbooks between which only the alphabet would decide, with such an alert."""
    shelf = Shelf({book.name: book for book in runbooks}, default=None)
    found: dict[tuple[str, str], dict[str, str]] = {}
    for book in runbooks:
        for labels in _examples(book):
            url = {"runbook_url": labels["runbook_url"]} if "runbook_url" in labels else {}
            fits = shelf.fits(labels, url, labels.get("service"), Severity.SEV3)
            best = [fit.name for fit in fits if fit.ties(fits[0])]
            for pair in combinations(sorted(best), 2):
                found.setdefault(pair, labels)
    return [
        Problem(first, 1, f"ties with {second} on the alert {_shown(labels)}: make one of them more exact")
        for (first, second), labels in sorted(found.items())
    ]


def _shown(labels: dict[str, str]) -> str:
    return ", ".join(f'{name}="{value}"' for name, value in labels.items())


def _examples(book: Runbook) -> Iterable[dict[str, str]]:
    for entry in book.matches:
        try:
            matchers = parse_matchers(entry)
        except ValueError:
            continue
        fixed = {m.name: value for m in matchers if m.name != "alertname" and (value := _one(m)) is not None}
        names = [text for m in matchers if m.name == "alertname" for text in _texts(m)]
        yield from ({"alertname": name, **fixed} for name in names) if names else (fixed,)


def _texts(matcher: Matcher) -> list[str]:
    if matcher.op == "=":
        return [matcher.value]
    return samples(matcher.value) if matcher.op == "=~" else []


def _one(matcher: Matcher) -> str | None:
    return next(iter(_texts(matcher)), None)
