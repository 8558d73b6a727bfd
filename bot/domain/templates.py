"""The sandbox in which every template runs: ours, and those that users write in configuration and runbooks."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

_SANDBOX = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


@lru_cache(maxsize=512)
def _compiled(source: str) -> Template:
    return _SANDBOX.from_string(source)


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
