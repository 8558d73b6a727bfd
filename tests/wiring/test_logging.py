"""Log lines: one shape for ours and the libraries', with the request id and without secrets."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from aiohttp.http_exceptions import InvalidHeader

from bot.wiring.observability import configure_logging, hide_secrets


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged as JSON; logging is put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("json", "INFO", stream)
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


SECRETS = (
    "xoxb-123456789012-abcdefGHIJ",
    "xoxe.xoxp-1-abcdef",
    "xapp-1-A0-12-abcdef",
    "Bearer s3cret-token",
    "authorization: Basic dXNlcjpwYXNz",
    "Token token=y_NbAkKc66ryYTWUXYEu",
    "OAuth 89a229ce-1a8d",
    "postgresql://tocsin:hunter2@db.example/tocsin",
    "redis://:hunter2@cache/0",
    "https://hooks.slack.com/commands/T1/2/abc",
    "GET /login?once=abcdefghijk HTTP/1.1",
)
PARTS = ("abcdefGHIJ", "abcdef", "s3cret", "dXNlcjpwYXNz", "NbAkKc", "89a229ce", "hunter2", "T1/2/abc")


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_logged(lines: io.StringIO, secret: str) -> None:
    """Neither as text, nor as a value, nor deep inside, nor in a traceback, nor by a library."""
    log = structlog.get_logger()
    log.info(f"said {secret}", value=secret, deep={"list": [secret]}, token="plain-abcdef")  # noqa: G004
    logging.getLogger("some.library").warning("called with %s", secret)
    try:
        raise RuntimeError(secret)
    except RuntimeError:
        log.exception("failed")
    told = lines.getvalue()
    assert len(told.splitlines()) == 3
    assert not [part for part in PARTS if part in told]


def test_what_is_no_secret_stays() -> None:
    for text in ("https://example.com/a:b@c?x=1", "the basic idea", "INC-7: xox is a word", "a Token ring"):
        assert hide_secrets(text) == text
    assert hide_secrets({"incident": 7, "ok": True, "none": None}) == {"incident": 7, "ok": True, "none": None}
    assert hide_secrets("https://db.example:5432/x") == "https://db.example:5432/x"


def test_a_line_is_one_json_object_with_the_request_id(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger().info("opened", incident=7)
        logging.getLogger("some.library").info("beside")
    ours, theirs = map(json.loads, lines.getvalue().splitlines())
    assert (ours["event"], ours["incident"], ours["request_id"], ours["level"]) == ("opened", 7, "r-1", "info")
    assert ours["timestamp"].endswith("Z")
    assert (theirs["event"], theirs["logger"], theirs["request_id"]) == ("beside", "some.library", "r-1")


def test_chatty_libraries_are_heard_from_warnings_on(lines: io.StringIO) -> None:
    logging.getLogger("apscheduler.scheduler").info("tick")
    logging.getLogger("slack_sdk.web").debug("headers")
    logging.getLogger("apscheduler.scheduler").warning("late")
    assert [json.loads(line)["event"] for line in lines.getvalue().splitlines()] == ["late"]


def test_bytes_that_are_no_request_make_one_line_that_does_not_quote_them(lines: io.StringIO) -> None:
    """aiohttp's own message holds the header it could not read: `X-Api-Key: s3cret\\x01`."""
    error = InvalidHeader(b"X-Api-Key: s3cret\x01")
    logging.getLogger("aiohttp.server").error("Error handling request from %s", "10.0.0.1", exc_info=error)
    (line,) = map(json.loads, lines.getvalue().splitlines())
    assert (line["event"], line["level"]) == ("not a request we can read (InvalidHeader)", "warning")
    assert "s3cret" not in lines.getvalue()


def test_on_a_terminal_it_is_readable() -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        configure_logging("console", "INFO", stream)
        structlog.get_logger().info("opened", incident=7, token="abc")
        assert "opened" in stream.getvalue()
        assert "incident=7" in stream.getvalue()
        assert "abc" not in stream.getvalue()
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:] = before
        root.setLevel(level)
        structlog.reset_defaults()
