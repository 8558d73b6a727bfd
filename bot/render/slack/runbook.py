"""The runbook in the channel: a checklist that is ticked where the work is talked about.

The next open step is shown in full with its buttons beneath it, the others as one line a step: at 3 a.m. one looks for
what to do now. What a line had to leave out is one button away, page by page; a step is never dropped in silence.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from bot.domain.events import RunbookAttached, Step
from bot.domain.incident import Incident
from bot.render.slack import ids, legal, limits, looks, mrkdwn
from bot.render.slack.message import (
    Block,
    Element,
    Message,
    Surroundings,
    actions,
    button,
    context,
    header,
    message,
    overflow,
    section,
)
from bot.render.texts import Safe

STEP_MAX = 2900
"""Characters of one step shown in full: a section holds 3,000."""
PAGE_STEPS = 10
PAGE_CHARACTERS = 10_000
"""One page of steps in full; with heads and buttons it stays below a message's limit."""
_LINE = 160
_MORE = mrkdwn.ELLIPSIS
_FIELD = 900


def runbook(state: Incident, book: RunbookAttached, around: Surroundings) -> Message:
    """Return the live checklist for the runbook in use."""
    whole = _Checklist(state, book, around)
    blocks = list(whole.all_sections())
    if len(blocks) > limits.BLOCKS_IN_MESSAGE or legal.characters(blocks) > _ROOM:
        blocks = list(whole.one_page(whole.current_page(), others=True))
    return message(whole.notice(), blocks)


def runbook_page(state: Incident, book: RunbookAttached, page: int, around: Surroundings) -> Message:
    """Return page `page` (from 1) with every step in full, for the one who asked. Out of range: the nearest page."""
    whole = _Checklist(state, book, around)
    index = min(max(page, 1), len(whole.pages)) - 1
    return message(whole.notice(), whole.one_page(index, others=False))


_ROOM = limits.MESSAGE_CHARACTERS - 200


class _Checklist:
    def __init__(self, state: Incident, book: RunbookAttached, around: Surroundings) -> None:
        self._state = state
        self._book = book
        self._around = around
        self._outcomes: dict[int, str] = dict(state.runbook.outcomes) if state.runbook else {}
        self._next = next((s for s in book.steps if s.number not in self._outcomes), None)
        self._full = {step.number: self._in_full(step) for step in book.steps}
        self.pages = _paged(book.steps, self._full)

    def notice(self) -> Safe:
        return Safe(f"Runbook {mrkdwn.escape(self._book.title)}: {self._done()} of {len(self._book.steps)} steps")

    def current_page(self) -> int:
        """Index of the page that holds the next open step; the last page when all are done."""
        return next((n for n, page in enumerate(self.pages) if self._next in page), len(self.pages) - 1)

    def all_sections(self) -> Iterator[Block]:
        """The whole runbook in one message."""
        yield from self._head()
        left_out = False
        for name, steps in _by_section(self._book.steps):
            yield section(self._section_title(name, steps))
            for step in steps:
                current = step is self._next and self._state.is_active
                yield self._step(step, full=current)
                left_out = left_out or (not current and self._line(step).endswith(_MORE))
                if current:
                    yield self._mark_buttons(step)
        yield from self._page_buttons(None if left_out else -1)
        yield self._foot()

    def one_page(self, index: int, *, others: bool) -> Iterator[Block]:
        """One page in full; with `others`, a line for each further page and buttons to them."""
        yield from self._head()
        for name, steps in _by_section(self.pages[index] if self.pages else ()):
            yield section(self._section_title(name, [s for s in self._book.steps if s.section == name]))
            for step in steps:
                yield self._step(step, full=True)
                if step is self._next and self._state.is_active:
                    yield self._mark_buttons(step)
        if others and len(self.pages) > 1:
            lines = [self._page_line(page) for n, page in enumerate(self.pages) if n != index]
            yield context("\n".join(lines))
        yield from self._page_buttons(index)
        yield self._foot()

    # --- pieces -------------------------------------------------------------------------------------------

    def _head(self) -> Iterator[Block]:
        yield header(f"📕 {self._book.title}")
        yield section(self._words["head"])

    def _foot(self) -> Block:
        return context(self._words["foot"])

    @cached_property
    def _words(self) -> dict[str, Safe]:
        return self._around.parts(
            "runbook",
            state=self._state,
            book=self._book,
            done=self._done(),
            next=self._next,
            failed=[n for n, how in sorted(self._outcomes.items()) if how == "failed"],
        )

    def _done(self) -> int:
        return sum(1 for step in self._book.steps if step.number in self._outcomes)

    def _section_title(self, name: str, steps: Sequence[Step]) -> str:
        done = sum(1 for step in steps if step.number in self._outcomes)
        return f"*{mrkdwn.escape(name)}* · {done} of {len(steps)}"

    def _mark(self, step: Step) -> str:
        return looks.STEP[self._outcomes.get(step.number, "open")]

    def _line(self, step: Step) -> Safe:
        text = mrkdwn.cut(self._prose(" ".join(step.text.split())) or mrkdwn.code(step.command), _LINE)
        more = f" {_MORE}" if (step.command or step.expect or step.if_not) and not text.endswith(_MORE) else ""
        return Safe(f"{self._mark(step)} {step.number}. {text}{more}")

    def _prose(self, text: str) -> Safe:
        return mrkdwn.markdown(text, self._around.links.runbook)

    def _in_full(self, step: Step) -> Safe:
        here = "👉 " if step is self._next and self._state.is_active else ""
        text = self._around.words(
            "runbook_step",
            step=step,
            head=Safe(f"{here}{self._mark(step)} *{step.number}.*"),
            text=mrkdwn.cut(self._prose(step.text), _FIELD),
            expect=mrkdwn.cut(self._prose(step.expect), 400),
            if_not=mrkdwn.cut(self._prose(step.if_not), 400),
            command=mrkdwn.fence(step.command, 1100) if step.command else "",
        )
        return mrkdwn.cut(text, STEP_MAX)

    def _step(self, step: Step, *, full: bool) -> Block:
        text = self._full[step.number] if full else self._line(step)
        return section(text, self._menu(step) if self._state.is_active else None)

    def _menu(self, step: Step) -> Element:
        value = f"{self._state.number}:{step.number}"
        known = {"done": "✅ Done", "skipped": "⏭️ Skip", "failed": "❌ Failed", "open": "⬜ Open again"}
        now = self._outcomes.get(step.number, "open")
        return overflow(
            f"{ids.STEP}:{step.number}", {f"{value}:{how}": label for how, label in known.items() if how != now}
        )

    def _page_line(self, page: Sequence[Step]) -> Safe:
        marks = "".join(self._mark(step) for step in page)
        return Safe(f"Steps {page[0].number}–{page[-1].number} {marks}")

    def _page_name(self, n: int) -> str:
        if len(self.pages) == 1:
            return "Show every step in full"
        return f"Show steps {self.pages[n][0].number}–{self.pages[n][-1].number}"

    def _mark_buttons(self, step: Step) -> Block:
        """Buttons beneath the next step."""
        number, n = self._state.number, step.number
        return actions(
            button(f"{ids.STEP}:{n}:done", f"Step {n} done", f"{number}:{n}:done", "primary"),
            button(f"{ids.STEP}:{n}:skipped", "Skip", f"{number}:{n}:skipped"),
            button(f"{ids.STEP}:{n}:failed", "Failed", f"{number}:{n}:failed"),
        )

    def _page_buttons(self, shown: int | None) -> Iterator[Block]:
        """Buttons for the pages other than `shown` (None: all of them; -1: none)."""
        number = self._state.number
        pages = [] if shown == -1 else [n for n in range(len(self.pages)) if n != shown]
        for start in range(0, len(pages), limits.ACTIONS_ELEMENTS):
            yield actions(
                *(
                    button(
                        f"{ids.STEPS_PAGE}:{n + 1}",
                        self._page_name(n),
                        f"{number}:{n + 1}",
                    )
                    for n in pages[start : start + limits.ACTIONS_ELEMENTS]
                )
            )


def _by_section(steps: Sequence[Step]) -> Iterator[tuple[str, list[Step]]]:
    """Group neighbouring steps of one section."""
    group: list[Step] = []
    for step in steps:
        if group and step.section != group[0].section:
            yield group[0].section, group
            group = []
        group.append(step)
    if group:
        yield group[0].section, group


def _paged(steps: Sequence[Step], full: dict[int, Safe]) -> list[list[Step]]:
    """Divide the steps into pages that fit in full. Depends on the runbook alone, so page numbers stay good."""
    pages: list[list[Step]] = []
    size = 0
    for step in steps:
        cost = len(full[step.number]) + 20
        if not pages or len(pages[-1]) >= PAGE_STEPS or size + cost > PAGE_CHARACTERS:
            pages.append([])
            size = 0
        pages[-1].append(step)
        size += cost
    return pages
