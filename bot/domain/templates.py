"""The sandbox in which every template runs: ours, and those that users write in configuration and runbooks."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

_SANDBOX = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


@lru_cache(maxsize=512)
def _compiled(source: str) -> Template:
    template = _SANDBOX.from_string(source)
    template.globals = dict(template.globals)  # Jinja's is a chain of maps, walked again for each rendering
    return template


_BETWEEN = "\x1e"


def fill_all(sources: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """Return each of `sources` filled. One with an error stays as it is.

    All of them in one rendering: what a rendering costs before its first character is most of what a short one costs.
    """
    whole = _BETWEEN.join(sources)
    if "{" not in whole:
        return list(sources)
    try:
        filled = fill(whole, values).split(_BETWEEN)
        if len(filled) == len(sources):
            return filled
    except ValueError:
        pass  # one of them is broken, or two only make sense together: then one by one
    return [_fill_or_keep(source, values) for source in sources]


def _fill_or_keep(source: str, values: Mapping[str, Any]) -> str:
    try:
        return fill(source, values)
    except ValueError:
        return source


def fill(source: str, values: Mapping[str, Any]) -> str:
    """Return `source` with its `{{ expressions }}` filled. Raises ValueError naming what is undefined or wrong.

    Only for templates that an operator wrote; text from alerts is a value here, never a template.
    """
    if "{" not in source:
        return source
    try:
        return _compiled(source).render(values)
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as exc:
        raise ValueError(f"cannot fill template {source[:60]!r}: {exc}") from exc
