"""What every part of the configuration is made of: strict, frozen models, and the small words they share."""

from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Section(BaseModel):
    """A part of the policy: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def zone_name(name: str) -> str:
    """Return `name`. Raises ValueError for a time zone that there is not."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise ValueError(f"{name!r} is not a time zone; use a name such as Europe/Berlin or UTC") from exc
    return name


Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of day, `09:00`."""
Hours = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
"""A part of the day, `09:00-17:00`; `22:00-06:00` goes over midnight."""


def _lower(value: object) -> object:
    return value.strip().lower()[:3] if isinstance(value, str) else value


DayName = Annotated[Day, BeforeValidator(_lower)]
"""A day of the week; `Monday` is read as `mon`."""
