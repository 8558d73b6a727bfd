"""Whose failures are their own, and whose are their vendor's."""

from bot.delivery.alone import FEW, Alone

PASSES = FEW + 1


def failures_alone(alone: Alone, rounds: int, passing: int, failing: int) -> int:
    """Let `poison` fail `rounds` times, with so many others passing and failing in between; return what counts."""
    counted = 0
    for n in range(rounds):
        counted = alone.failed("poison", "slack")
        for other in range(passing):
            alone.passed(f"well {n}.{other}", "slack")
        for other in range(failing):
            alone.failed(f"unlucky {n}.{other}", "slack")
    return counted


def test_what_fails_while_all_others_pass_fails_alone() -> None:
    assert failures_alone(Alone(), rounds=5, passing=1, failing=0) == 5


def test_what_fails_while_nobody_else_asks_for_anything_has_failed_once() -> None:
    assert failures_alone(Alone(), rounds=5, passing=0, failing=0) == 1


def test_while_a_vendor_fails_one_in_two_nobody_fails_alone() -> None:
    assert failures_alone(Alone(), rounds=50, passing=20, failing=20) == 1


def test_while_a_vendor_fails_one_in_four_nobody_fails_alone() -> None:
    assert failures_alone(Alone(), rounds=50, passing=30, failing=10) == 1


def test_two_that_fail_alone_do_not_protect_each_other() -> None:
    assert failures_alone(Alone(), rounds=5, passing=PASSES, failing=1) == 5


def test_another_vendor_says_nothing_about_it() -> None:
    alone = Alone()
    for n in range(5):
        counted = alone.failed("poison", "slack")
        alone.passed(f"page {n}", "pagerduty")
    assert counted == 1


def test_what_passed_or_was_given_up_starts_anew() -> None:
    alone = Alone()
    assert failures_alone(alone, rounds=3, passing=1, failing=0) == 3
    alone.passed("poison", "slack")
    assert alone.failed("poison", "slack") == 1
    alone.forget("poison")
    assert alone.failed("poison", "slack") == 1
