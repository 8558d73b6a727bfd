"""What a workspace is told before it opens; nothing is built here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

SEED = Path(__file__).with_name("seed.toml")


@dataclass(frozen=True)
class Sample:
    """One alert the workspace can send to the bot in the place of its real sender.

    `build` takes one of `actions` and returns the exact bytes of the webhook's body.
    """

    id: str
    title: str
    description: str
    source: Literal["alertmanager", "pagerduty"]
    actions: Sequence[str]
    build: Callable[[str], bytes]


@dataclass(frozen=True)
class Pace:
    """The waiting times of Slack in seconds; tests shorten them."""

    acknowledge_within: float = 3.0
    """https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response"""
    trigger_life: float = 3.0
    """https://docs.slack.dev/interactivity/handling-user-interaction#modal_responses"""
    retry_after: tuple[float, ...] = (0.0, 60.0, 300.0)
    """https://docs.slack.dev/apis/events-api/#retries"""
    link_life: float = 3600.0
    """https://docs.slack.dev/apis/events-api/using-socket-mode#disconnect"""
    link_warning: float = 10.0


@dataclass(frozen=True)
class WorkspaceSettings:
    """Everything a workspace needs; the manifest is Slack's own app manifest as JSON."""

    path: Path | Literal[":memory:"]
    base_url: str
    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    manifest: Mapping[str, Any] = field(repr=False)
    event_url: str | None = None
    request_url: str | None = None
    samples: Sequence[Sample] = ()
    alertmanager_url: str | None = None
    alertmanager_token: str | None = field(default=None, repr=False)
    pagerduty_url: str | None = None
    pagerduty_secret: str | None = field(default=None, repr=False)
    completions: Sequence[Mapping[str, str]] = ()
    links: Sequence[Mapping[str, str]] = ()
    seed: Path = SEED
    pace: Pace = Pace()
    clock: Callable[[], float] = time.time
    """Seconds since the epoch: time stamps, triggers and response URLs live by it."""
