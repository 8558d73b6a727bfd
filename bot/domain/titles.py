"""Title templates of routes: `{{ labels.service }}: {{ annotations.summary }}`. Expressions only, in the sandbox."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Final

from jinja2 import Template, TemplateError, nodes
from pydantic import AfterValidator

from bot.domain.expressions import CONCATENATIONS_MAX, SOURCE_MAX, BadExpression, sandbox
from bot.domain.text import clean_line

NAMES: Final = ("labels", "annotations", "name", "summary", "service", "severity", "source")
"""What a title may speak of. A label that an alert lacks is empty."""


def fill_title(source: str, values: Mapping[str, Any]) -> str:
    """Return the title on one line, uncut; empty if the template fails on this data: the alert's own title is used.

    The operator's template may hold expressions; the alert's texts are values in it, never a template.
    """
    try:
        return clean_line(_compiled(source).render({name: values.get(name, "") for name in NAMES}))
    except Exception:  # data from outside may break an expression in any way; none may cost an incident its title
        return ""


@lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    """Return `source` compiled. Raises BadExpression, saying what is wrong."""
    if len(source) > SOURCE_MAX:
        raise BadExpression(f"a title template has at most {SOURCE_MAX} characters")
    try:
        tree = sandbox().parse(source)
        _check(tree)
        return sandbox().from_string(source)
    except (TemplateError, SyntaxError, RecursionError, MemoryError) as exc:
        raise BadExpression(f"{clean_line(str(exc), 200)} in the title {clean_line(source, 80)}") from None


def _check(tree: nodes.Template) -> None:
    if any(not isinstance(part, nodes.Output) for part in tree.body):
        raise BadExpression("a title holds text and {{ expressions }}, no {% statements %}")
    for name in tree.find_all(nodes.Name):
        if name.name not in NAMES:
            raise BadExpression(f"{name.name!r} is unknown in a title (there are: {', '.join(NAMES)})")
    if sum(len(found.nodes) for found in tree.find_all(nodes.Concat)) > CONCATENATIONS_MAX:
        raise BadExpression(f"more than {CONCATENATIONS_MAX} parts put together with ~")


def _checked(source: str) -> str:
    if not source.strip():
        raise ValueError("an empty title; leave the key out to get the alert's own")
    _compiled(source)
    return source


TitleText = Annotated[str, AfterValidator(_checked)]
"""A title template in the configuration: refused there if it cannot be used."""
