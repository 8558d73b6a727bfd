"""When to try again, when to stop, when to leave a vendor alone."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.delivery.circuit import OPENS_AFTER, OPENS_OVER, PROBE_EVERY, WORKING, shows_outage
from bot.delivery.retry import GIVE_UP_AFTER, LONGEST, GiveUp, RetryAt, after_failure
from bot.ports.delivery import DeliveryError

NOW = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
NO_TIME = timedelta(0)


def waits(attempt: int, error: DeliveryError, spread: float = 0.0) -> float:
    verdict = after_failure(attempt, NO_TIME, error, NOW, spread)
    assert isinstance(verdict, RetryAt)
    return (verdict.at - NOW).total_seconds()


def test_the_back_off_doubles_up_to_half_a_minute() -> None:
    assert [waits(n, DeliveryError("x")) for n in range(1, 10)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize("attempt", [1, 6, 7, 1000, 10**9])
def test_no_back_off_is_longer_than_half_a_minute_whatever_the_spread(attempt: int) -> None:
    assert waits(attempt, DeliveryError("x"), spread=1.0) <= LONGEST


def test_replicas_that_failed_together_come_back_apart() -> None:
    assert waits(3, DeliveryError("x"), spread=0.0) < waits(3, DeliveryError("x"), spread=0.9)


def test_the_vendors_own_wish_is_respected_even_if_it_is_longer() -> None:
    assert waits(1, DeliveryError("x", retry_after=90)) == 90
    assert waits(7, DeliveryError("x", retry_after=1)) == 30


def test_a_permanent_error_ends_at_once_and_keeps_its_mend() -> None:
    error = DeliveryError("no such key", permanent=True, mend="set it")
    assert after_failure(1, NO_TIME, error, NOW, 0.0) == GiveUp("no such key", "set it")


def test_a_transient_error_ends_by_age_and_never_by_count() -> None:
    error = DeliveryError("no answer")
    assert isinstance(after_failure(10_000, GIVE_UP_AFTER - timedelta(seconds=1), error, NOW, 0.0), RetryAt)
    ended = after_failure(1, GIVE_UP_AFTER, error, NOW, 0.0)
    assert isinstance(ended, GiveUp)
    assert "1d" in ended.error
    assert "no answer" in ended.error
    assert ended.mend


def test_a_circuit_opens_after_failures_in_a_row_over_a_while_and_lets_one_probe_through() -> None:
    circuit = WORKING
    for n in range(OPENS_AFTER):
        assert circuit.lets_through(NOW)
        circuit = circuit.failed(NOW + n * OPENS_OVER / (OPENS_AFTER - 1), f"1.{n % 2}.0")
    now = NOW + OPENS_OVER
    assert not circuit.lets_through(now)
    due = now + PROBE_EVERY
    assert circuit.lets_through(due)
    assert not circuit.entered(due).lets_through(due)


def test_a_whole_set_of_calls_that_fails_in_one_moment_opens_no_circuit() -> None:
    circuit = WORKING
    for n in range(64):
        circuit = circuit.failed(NOW, f"{n}.1.0")
    assert circuit.lets_through(NOW)


def test_an_answer_is_no_outage_even_if_it_is_a_refusal_or_a_rate_limit() -> None:
    assert shows_outage(DeliveryError("connection reset"))
    assert not shows_outage(DeliveryError("bad key", permanent=True))
    assert not shows_outage(DeliveryError("slow down", retry_after=3))
    assert not shows_outage(DeliveryError("slow down", parks="chat.postMessage"))


def test_one_message_that_the_vendor_stumbles_over_opens_no_circuit() -> None:
    circuit = WORKING
    for n in range(64):
        circuit = circuit.failed(NOW + n * OPENS_OVER, "1.7.0")
        assert circuit.lets_through(NOW)
