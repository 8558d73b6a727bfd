"""Settings: secrets and addresses from the environment, behaviour from `tocsin.yaml`. Nothing is read at import."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

import yaml
from pydantic import (
    BeforeValidator,
    DirectoryPath,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bot.domain.alert_mapping import GenericSource, SourceName
from bot.domain.durations import Duration
from bot.domain.folding import FOLD_AFTER
from bot.domain.policy import Policy
from bot.domain.section import Section


class BadSettings(Exception):
    """The configuration is wrong. The text names the file, the line and the key, and what to write instead."""


def _commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_commas)]
"""Several secrets, comma-separated in the environment."""


class Environment(BaseSettings):
    """What comes from the environment. Secrets do not appear in `repr`."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True, env_ignore_empty=True, case_sensitive=True)

    database_url: SecretStr = Field(SecretStr("sqlite:///tocsin.db"), alias="TOCSIN_DATABASE_URL")
    host: str = Field("127.0.0.1", alias="TOCSIN_HOST")
    port: int = Field(8080, alias="TOCSIN_PORT", ge=0, le=65535)
    public_url: str = Field("", alias="TOCSIN_PUBLIC_URL")
    config: Path | None = Field(None, alias="TOCSIN_CONFIG")
    log_format: str = Field("", alias="TOCSIN_LOG_FORMAT", pattern="^(json|console)?$")
    log_level: str = Field("INFO", alias="TOCSIN_LOG_LEVEL", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    templates: DirectoryPath | None = Field(None, alias="TOCSIN_TEMPLATES")
    """A folder whose files override those in `templates/` by name."""

    slack_bot_token: SecretStr | None = Field(None, alias="SLACK_BOT_TOKEN")
    slack_app_token: SecretStr | None = Field(None, alias="SLACK_APP_TOKEN")
    slack_signing_secret: SecretStr | None = Field(None, alias="SLACK_SIGNING_SECRET")
    slack_api_url: str = Field("https://slack.com/api/", alias="SLACK_API_URL")

    alertmanager_tokens: Secrets = Field((), alias="TOCSIN_ALERTMANAGER_TOKEN")
    alertmanager_basic: Secrets = Field((), alias="TOCSIN_ALERTMANAGER_BASIC")
    alertmanager_api_token: SecretStr | None = Field(None, alias="TOCSIN_ALERTMANAGER_API_TOKEN")
    alertmanager_api_basic: SecretStr | None = Field(None, alias="TOCSIN_ALERTMANAGER_API_BASIC")
    """`user:password`, for the calls that we make to Alertmanager."""
    pagerduty_secrets: Secrets = Field((), alias="TOCSIN_PAGERDUTY_WEBHOOK_SECRETS")
    pagerduty_routing_key: SecretStr | None = Field(None, alias="PAGERDUTY_ROUTING_KEY")
    pagerduty_api_token: SecretStr | None = Field(None, alias="PAGERDUTY_API_TOKEN")
    pagerduty_from: str = Field("", alias="PAGERDUTY_FROM")
    pagerduty_events_url: str = Field("https://events.pagerduty.com", alias="PAGERDUTY_EVENTS_URL")
    pagerduty_api_url: str = Field("https://api.pagerduty.com", alias="PAGERDUTY_API_URL")
    statuspage_api_key: SecretStr | None = Field(None, alias="STATUSPAGE_API_KEY")
    statuspage_page_id: str = Field("", alias="STATUSPAGE_PAGE_ID")
    statuspage_api_url: str = Field("https://api.statuspage.io/v1", alias="STATUSPAGE_API_URL")
    api_tokens: Secrets = Field((), alias="TOCSIN_API_TOKENS")
    """`name:token` or `name:token:private`."""

    @field_validator("public_url", "slack_api_url", "pagerduty_events_url", "pagerduty_api_url", "statuspage_api_url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("must begin with http:// or https://")
        return value

    @field_validator("api_tokens")
    @classmethod
    def _named(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for pair in value:
            name, _, token = pair.get_secret_value().partition(":")
            if not name or not token.partition(":")[0]:
                raise ValueError("each one is written name:token")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed and what the environment says: no .env file is read behind anybody's back."""
        return init_settings, env_settings


class AlertmanagerDoor(Section):
    """The Alertmanager webhook."""

    insecure: bool = False
    """Accept deliveries without a token. Only behind something that authenticates."""
    url: str = ""
    """Alertmanager's own address, to silence alerts at; what a delivery says of it (`externalURL`) is never called."""

    @field_validator("url")
    @classmethod
    def _web(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and not (parts.scheme in ("http", "https") and parts.hostname):
            raise ValueError("must begin with http:// or https://, such as http://alertmanager:9093")
        if parts.username or parts.password:
            raise ValueError("must hold no password: set TOCSIN_ALERTMANAGER_API_BASIC to user:password")
        return value


class Webhooks(Section):
    """How alerts come in."""

    alertmanager: AlertmanagerDoor = AlertmanagerDoor()
    generic: dict[SourceName, GenericSource] = Field(default_factory=dict)
    """Other senders, by the last part of their path: /webhooks/generic/<name>."""


class Delivery(Section):
    """How effects go out."""

    call_timeout: Duration = timedelta(seconds=8)
    """A call to a vendor takes no longer; less than `lease`."""
    lease: Duration = timedelta(seconds=10)
    fold_after: Duration = FOLD_AFTER
    """What waited for a channel longer than this, while it was out of reach, is told there in one message."""

    @property
    def request_timeout(self) -> float:
        """Seconds for one request: a little less than `call_timeout`, so that the error is in its adapter's words."""
        return self.call_timeout.total_seconds() * 7 / 8

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not timedelta(0) < self.call_timeout < self.lease:
            raise ValueError("call_timeout must be more than 0s and less than lease, or two replicas do the same")
        return self


REPEATS_FOR: Final = timedelta(hours=48)
"""PagerDuty tries a delivery again for so long: https://developer.pagerduty.com/docs/webhooks-overview"""


class Retention(Section):
    """How long by-products are kept; incidents are kept."""

    inbox: Duration = timedelta(hours=72)
    """Answers to commands and deliveries. As long as PagerDuty repeats one, or a late repeat is taken for news."""
    notices: Duration = timedelta(days=7)
    """What the house said of itself."""
    audit: Duration = timedelta(days=365)
    """Who asked for which change, and what was denied."""
    unusable: Duration = timedelta(days=7)
    """Deliveries that nothing could be made of."""

    @field_validator("inbox")
    @classmethod
    def _outlasts_repeats(cls, value: timedelta) -> timedelta:
        if value < REPEATS_FOR:
            raise ValueError("must be 48h or more: PagerDuty repeats a delivery for so long, and it would count twice")
        return value


class Config(Policy):
    """The whole of `tocsin.yaml`: the policy, and how the machinery runs."""

    webhooks: Webhooks = Webhooks()
    delivery: Delivery = Delivery()
    retention: Retention = Retention()


class Settings:
    """Both halves, read once and passed down."""

    def __init__(self, environment: Environment, config: Config, file: Path | None) -> None:
        self.env = environment
        self.config = config
        self.file = file
        """The configuration file that was read, if any."""

    @property
    def public_url(self) -> str:
        """The base of links, without a trailing slash."""
        return (self.env.public_url or f"http://{self.env.host}:{self.env.port}").rstrip("/")


def read_environment(values: Mapping[str, str] | None = None) -> Environment:
    """Return the environment's settings. Raises BadSettings naming the variable."""
    try:
        return Environment() if values is None else Environment.model_validate(dict(values))
    except ValidationError as exc:
        first = exc.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadSettings(f"environment variable {name}: {_words(first)}") from None  # the cause would print a secret


def read_settings(config: Path | None = None) -> Settings:
    """Return the settings from `config`, else TOCSIN_CONFIG, else `./tocsin.yaml` if it is there.

    Raises BadSettings.
    """
    env = read_environment()
    named = config or env.config
    if named and not named.is_file():
        raise BadSettings(f"{named}: no such file; TOCSIN_CONFIG or --config names it")
    default = Path("tocsin.yaml")
    path = named or (default if default.is_file() else None)
    return Settings(env, read_config(path) if path else Config(), path)


def read_config(path: Path) -> Config:
    """Return the configuration in `path`. Raises BadSettings naming file, line and key."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text) or {}
    except (OSError, UnicodeDecodeError) as exc:
        raise BadSettings(f"{path}: cannot be read: {exc}") from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise BadSettings(f"{path}{line}: not YAML: {getattr(exc, 'problem', None) or exc}") from exc
    if not isinstance(data, dict):
        raise BadSettings(f"{path}:1: the file must hold keys and values, such as `organization: {{name: Example}}`")
    try:
        return Config.model_validate(data)
    except ValidationError as exc:
        raise BadSettings("\n".join(_explain(path, tree, error) for error in exc.errors()[:10])) from exc


def _explain(path: Path, tree: Any, error: Any) -> str:
    # In brackets is pydantic's name for a key, or for one of several shapes: it is not in the file.
    loc = [part for part in error["loc"] if not str(part).startswith("[")]
    return f"{path}:{_line(tree, loc)}: {'.'.join(map(str, loc))}: {_words(error)}"


def _line(node: Any, loc: Sequence[str | int]) -> int:
    """Return the line, from 1, of the last part of `loc` that is there."""
    line = 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def line_of(path: Path, *loc: str | int) -> int:
    """Return the line, from 1, at which `loc` (keys and positions) stands in a file that could be read before."""
    return _line(yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), loc)


def _words(error: Any) -> str:
    """Return what pydantic found, as a person reads it."""
    if error["type"] == "extra_forbidden":
        return "there is no such key"
    return str(error["msg"].removeprefix("Value error, "))
