"""An observer that remembers what it was told, without the seconds."""

from bot.ports.observer import Answered, Attempt, Oddity


class Ears:
    """See Observer. `heard` holds (what, label, label…) in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, ...]] = []

    def committed(self, cases: int, seconds: float) -> None:
        self._note("committed", seconds)

    def commanded(self, door: str, verb: str, outcome: Answered, seconds: float) -> None:
        self._note("commanded", seconds, door, verb, outcome)

    def received(self, source: str, outcome: str, seconds: float) -> None:
        self._note("received", seconds, source, outcome)

    def delivered(self, kind: str, outcome: Attempt, seconds: float) -> None:
        self._note("delivered", seconds, kind, outcome)

    def oddity(self, source: str, what: Oddity) -> None:
        self._note("oddity", 0, source, what)

    def breached(self, severity: str) -> None:
        self._note("breached", 0, severity)

    def missed(self, severity: str) -> None:
        self._note("missed", 0, severity)

    def of(self, what: str) -> list[tuple[str, ...]]:
        """Return the labels of what was heard of one kind."""
        return [told[1:] for told in self.heard if told[0] == what]

    def _note(self, what: str, seconds: float, *labels: str) -> None:
        assert seconds >= 0
        self.heard.append((what, *labels))
