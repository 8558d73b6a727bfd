"""A worker's name says whether its process can still be there."""

import subprocess
import sys

from bot.delivery.worker import is_gone, worker_id


def of_process(number: int) -> str:
    machine, _, _ = worker_id().rpartition(":")[0].rpartition(":")
    return f"{machine}:{number}:abcd"


def test_a_living_process_is_not_gone() -> None:
    assert not is_gone(worker_id())
    assert not is_gone(of_process(1))


def test_a_process_that_ended_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert is_gone(of_process(process.pid))


def test_a_process_whose_number_is_anothers_now_is_gone() -> None:
    """In a container that is restarted, number 1 is number 1 again."""
    place, _, birth = worker_id().rpartition(":")
    began, _, chance = birth.rpartition("-")
    assert began
    assert is_gone(f"{place}:{int(began) - 1}-{chance}")
    assert is_gone(f"{place}:abcd"), "an older version noted no start; under our own number it is not us"
    assert not is_gone(f"{place}:{began}-another"), "a second worker of this very process"


def test_of_a_worker_elsewhere_nothing_is_known() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert not is_gone(f"elsewhere/0123456789ab:{process.pid}:abcd")
    assert not is_gone("w1")
    assert not is_gone(of_process(10**30))


def test_no_two_workers_share_a_name() -> None:
    assert worker_id() != worker_id()
