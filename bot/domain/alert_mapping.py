"""A generic source of alerts, as tocsin.yaml describes it: who may send, and where in its JSON an alert's parts are."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bot.domain.alerts import HOUSE_SOURCE
from bot.domain.expressions import ExpressionText
from bot.domain.section import Section

Preset = Literal["grafana", "sentry", "datadog", "cloudwatch", "uptime-kuma"]
"""Ready mappings: one file each in bot/inbound/alerts/presets/."""

RESERVED: Final = frozenset({"alertmanager", "pagerduty", HOUSE_SOURCE})
REQUIRED: Final = ("fingerprint", "status", "name")
"""Without these no alert can be told from another, opened or resolved."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_ARN: Final = re.compile(r"arn:aws(-[a-z]+)*:sns:[a-z0-9-]+:\d{12}:[\w.-]{1,256}")


def _variable(value: str) -> str:
    # The value is not repeated: it may be the secret itself, put here by mistake.
    if value and not _VARIABLE.fullmatch(value):
        raise ValueError("names an environment variable (capital letters, digits, _) that holds the secret; it is "
                         "never the secret itself")  # fmt: skip
    return value


def _arn(value: str) -> str:
    if not _ARN.fullmatch(value):
        raise ValueError("a topic is written arn:aws:sns:REGION:ACCOUNT:NAME")
    return value


def _source_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("a source is named in lower case: letters, digits, - and _, at most 40")
    if value in RESERVED:
        taken = "is our own name" if value == HOUSE_SOURCE else f"has a path of its own, /webhooks/{value}"
        raise ValueError(f"{value} {taken}; choose another name")
    return value


def _one_for_all(value: object) -> object:
    return {"*": value} if isinstance(value, str) else value


Variable = Annotated[str, AfterValidator(_variable)]
SourceName = Annotated[str, AfterValidator(_source_name)]
"""The last part of the path, and `source` in routes."""
Pairs = Annotated[dict[str, ExpressionText], BeforeValidator(_one_for_all, json_schema_input_type=str | dict[str, str])]
"""Names with an expression each. `*`, or one expression instead of them all, gives an object of names and values."""


class Hmac(Section):
    """A signature over the body's bytes."""

    header: str = Field("X-Signature", pattern=r"^[A-Za-z0-9-]{1,80}$")
    secret_env: Variable = ""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = Field("", max_length=40)
    """What stands before the digest in the header, such as `sha256=`."""


class Sns(Section):
    """Amazon SNS, which asks to be confirmed."""

    topics: tuple[Annotated[str, AfterValidator(_arn)], ...] = ()
    """Topics whose subscription is confirmed and whose notifications are taken."""


class AlertMapping(Section):
    """Where an alert's parts are. Each is an expression over `item`, `body` and `headers`."""

    items: ExpressionText | None = None
    """The list of alerts; without it, the whole body is the one alert."""
    truncated: ExpressionText | None = None
    """How many alerts the sender left out."""
    skip: ExpressionText | None = None
    """True, or a reason in words: this one is no alert."""
    fingerprint: ExpressionText | None = None
    """What is the same for the same alert, whenever it fires."""
    status: ExpressionText | None = None
    """`firing` or `resolved`."""
    name: ExpressionText | None = None
    summary: ExpressionText | None = None
    severity: ExpressionText | None = None
    """A word such as critical, error, warning, info, or sev1 to sev4."""
    labels: Pairs = Field(default_factory=dict)
    annotations: Pairs = Field(default_factory=dict)
    url: ExpressionText | None = None
    starts_at: ExpressionText | None = None
    """A time as text, or as seconds or milliseconds since 1970."""
    occurred_at: ExpressionText | None = None
    """When the status changed: an older change that arrives late then undoes nothing."""
    group: ExpressionText | None = None
    """The sender's own grouping, for alerts without a service."""


class GenericSource(AlertMapping):
    """One entry of `webhooks.generic`."""

    preset: Preset | None = None
    """A ready mapping; each key given here replaces the preset's."""
    token_env: Variable = ""
    """The variable with the token (or several, comma-separated) that the sender presents."""
    token_in_url: bool = False
    """Accept `?token=…` too, from a sender that can set no header. It may then stand in a proxy's log."""
    hmac: Hmac = Hmac()
    sns: Sns = Sns()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [key for key in REQUIRED if getattr(self, key) is None]
        if missing and self.preset is None:
            raise ValueError(f"{' and '.join(missing)} must be said: without a preset nothing tells where to find it")
        return self
