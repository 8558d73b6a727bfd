"""Logs and metrics: structlog as JSON or for a terminal, Prometheus counters in a registry of our own."""

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import datetime
from functools import cache
from typing import Any, Final, TextIO

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.domain.severity import Severity
from bot.inbound.alerts import SOURCES
from bot.ports.reader import Stats

_HIDDEN: Final = "[hidden]"
_SECRETS: Final = (
    re.compile(r"()\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]+"),
    re.compile(r"()\bxapp-[A-Za-z0-9-]+"),
    re.compile(r"(hooks\.slack\.com/)[\w/-]+"),
    re.compile(r"(?i)(\b(?:bearer|oauth|token token=)[ =]?\s*)[^\s\"',;]{4,}"),
    re.compile(r"(?i)(\bbasic )[A-Za-z0-9+/=_-]{6,}"),
    re.compile(r"(://[^\s/@:]*:)[^\s/@]+(?=@)"),
    re.compile(r"(?i)([?&](?:once|ticket|token|api_key)=)[^\s&\"']+"),
)
"""Group 1 is kept, the rest is hidden."""
_SECRET_NAMES: Final = re.compile(r"(?i)token|secret|passw|authorization|cookie|routing_key|api_key")
_QUIET: Final = ("aiohttp.access", "apscheduler", "slack_sdk", "slack_bolt", "asyncio", "markdown_it")
"""Libraries that say more than an operator wants; their warnings are kept."""


def _quieten_junk(record: logging.LogRecord) -> bool:
    """Make one plain line of aiohttp's traceback about bytes that are no HTTP: it quotes them, credentials included."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError | RequestPayloadError):
        record.msg, record.args = "not a request we can read (%s)", (type(error).__name__,)
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = record.exc_text = None
    return True


def hide_secrets(value: Any) -> Any:
    """Return `value` with everything that looks like a token, or stands under such a name, replaced."""
    if isinstance(value, str):
        for pattern in _SECRETS:
            value = pattern.sub(rf"\1{_HIDDEN}", value)
        return value
    if isinstance(value, MutableMapping):
        return {k: _HIDDEN if v and _is_secret_name(k) else hide_secrets(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [hide_secrets(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else hide_secrets(str(value))


def _is_secret_name(name: object) -> bool:
    return _SECRET_NAMES.search(str(name)) is not None


def _redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    kept = {name: event.pop(name) for name in ("_record", "_from_structlog") if name in event}
    return {**hide_secrets(event), **kept}


def configure_logging(form: str, level: str, stream: TextIO | None = None) -> None:
    """Send our log lines and those of every library to `stream` (stderr), `form` "json" or "console".

    Each line carries the request id bound in its context. Secrets are taken out last, tracebacks included.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    target = stream or sys.stderr
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # tests and the demo configure more than once
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.processors.format_exc_info,
                structlog.processors.StackInfoRenderer(),
                _redact,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                renderer,
            ],
        )
    )
    junk = logging.getLogger("aiohttp.server")
    if _quieten_junk not in junk.filters:
        junk.addFilter(_quieten_junk)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)


_QUICK: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10)
"""Seconds: an acknowledgement is due in 3, a webhook's answer in 1."""


class Meters:
    """Counts for Prometheus; an Observer. Labels come from closed sets, so their number is bounded."""

    def __init__(self, version: str) -> None:
        self._registry = own = CollectorRegistry()
        Gauge("tocsin_build_info", "Which version runs.", ["version"], registry=own).labels(version).set(1)
        self._commits = Histogram("tocsin_commit_seconds", "Time of one commit.", buckets=_QUICK, registry=own)
        self._cases = Counter("tocsin_committed_cases", "Commands carried by commits.", registry=own)
        self._commands = Histogram(
            "tocsin_command_seconds",
            "From a person's command to its answer.",
            ["door", "verb", "outcome"],
            buckets=_QUICK,
            registry=own,
        )
        self._webhooks = Histogram(
            "tocsin_webhook_seconds",
            "From a delivery to its answer.",
            ["source", "outcome"],
            buckets=_QUICK,
            registry=own,
        )
        self._webhook = cache(self._webhooks.labels)
        self._deliveries = Counter(
            "tocsin_deliveries", "Attempts to do something outside.", ["kind", "outcome"], registry=own
        )
        self._delivery_seconds = Histogram(
            "tocsin_delivery_seconds", "Time of one attempt.", ["kind"], buckets=_QUICK, registry=own
        )
        self._breaches = Counter(
            "tocsin_response_breaches", "Response times that passed unacknowledged.", ["severity"], registry=own
        )
        self._missed = Counter(
            "tocsin_update_breaches", "Internal updates that were owed and did not come.", ["severity"], registry=own
        )
        self._signatures = Counter(
            "tocsin_webhook_signature_failures",
            "Deliveries refused for a wrong signature or token. Three in a row, and PagerDuty stops sending.",
            ["source"],
            registry=own,
        )
        for source in SOURCES:  # a counter that is there before its first event can be alerted on
            self._signatures.labels(source)
        self._oddities = Counter(
            "tocsin_webhook_oddities", "Deliveries taken, and nothing came of them.", ["source", "what"], registry=own
        )
        self._unusable = Gauge(
            "tocsin_webhook_unusable_kept",
            "Deliveries that nothing could be made of, as long as they are kept.",
            ["source"],
            registry=own,
        )
        self._store_up = Gauge("tocsin_store_up", "1 while the database answers.", registry=own)
        self._open = Gauge(
            "tocsin_incidents_open", "Open incidents; no drills, no private ones.", ["severity"], registry=own
        )
        self._waiting = Gauge("tocsin_effects_waiting", "Deliveries that wait.", registry=own)
        self._failed = Gauge("tocsin_effects_failed", "Deliveries that gave up.", registry=own)
        self._oldest = Gauge(
            "tocsin_effects_oldest_waiting_seconds", "Age of the oldest waiting delivery.", registry=own
        )
        self._timers = Gauge("tocsin_timers_armed", "Timers that will ring.", registry=own)

    def committed(self, cases: int, seconds: float) -> None:
        """See Observer."""
        self._commits.observe(seconds)
        self._cases.inc(cases)

    def commanded(self, door: str, verb: str, outcome: str, seconds: float) -> None:
        """See Observer."""
        self._commands.labels(door, verb, outcome).observe(seconds)

    def received(self, source: str, outcome: str, seconds: float) -> None:
        """See Observer."""
        self._webhook(source, outcome).observe(seconds)

    def delivered(self, kind: str, outcome: str, seconds: float) -> None:
        """See Observer."""
        self._deliveries.labels(kind, outcome).inc()
        self._delivery_seconds.labels(kind).observe(seconds)

    def oddity(self, source: str, what: str) -> None:
        """See Observer."""
        if what == "signature":
            self._signatures.labels(source).inc()
        else:
            self._oddities.labels(source, what).inc()

    def breached(self, severity: str) -> None:
        """See Observer."""
        self._breaches.labels(severity).inc()

    def missed(self, severity: str) -> None:
        """See Observer."""
        self._missed.labels(severity).inc()

    def exposition(self, stats: Stats | None, now: datetime) -> bytes:
        """Return the Prometheus text. Without `stats` the gauges of the store keep what was last known."""
        self._store_up.set(stats is not None)
        if stats:
            for severity in Severity:
                self._open.labels(severity.value).set(stats.open_by_severity.get(severity.value, 0))
            self._waiting.set(stats.waiting)
            self._failed.set(stats.failed)
            oldest = stats.oldest_waiting_at
            self._oldest.set(max((now - oldest).total_seconds(), 0.0) if oldest else 0.0)
            self._timers.set(stats.armed_timers)
            self._unusable.clear()
            for source, count in stats.unusable.items():
                self._unusable.labels(source).set(count)
        return generate_latest(self._registry)
