"""A row is read once, and never told as it was before."""

from bot.storage.remembered import Remembered


def reader() -> tuple[Remembered[str], list[str]]:
    """A memory of two rows, and what it had to read."""
    read: list[str] = []

    def upper(text: str) -> str:
        read.append(text)
        return text.upper()

    return Remembered(upper, most=2), read


def test_a_row_that_stays_is_read_once() -> None:
    memory, read = reader()
    assert [memory.read(1, "a"), memory.read(1, "a")] == ["A", "A"]
    assert read == ["a"]


def test_a_row_that_changed_is_read_anew_whatever_was_remembered() -> None:
    memory, read = reader()
    memory.keep(1, "a", "A")
    assert [memory.read(1, "b"), memory.read(1, "a")] == ["B", "A"]
    assert read == ["b", "a"]


def test_what_was_kept_is_told_without_reading() -> None:
    memory, read = reader()
    memory.keep(1, "a", "made by us")
    assert memory.read(1, "a") == "made by us"
    assert not read


def test_only_the_last_rows_are_kept_however_often_they_change() -> None:
    memory, read = reader()
    for text in "abcdefgh":
        memory.read(1, text)
    memory.read(2, "x")
    memory.read(1, "h")
    memory.read(3, "y")
    assert len(memory._kept) == 2
    memory.read(3, "y")
    assert read == [*"abcdefgh", "x", "y"]
