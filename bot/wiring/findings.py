"""What `tocsin doctor` reports: a line each."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line of the report. `mend` says what to do unless all is well."""

    check: str
    level: Literal["OK", "WARN", "FAIL"]
    detail: str
    mend: str = ""
