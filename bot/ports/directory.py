"""Who is who: names, and members of usergroups. Answers come from memory; nothing here waits for a vendor."""

from typing import Protocol

from bot.domain.people import is_person


class Directory(Protocol):
    """The people of the workspace, as far as they are known now."""

    def find(self, word: str) -> str | None:
        """Return the Slack id of the person whose handle, e-mail or id is `word`; None if nobody or not known yet."""
        ...

    def name(self, user: str) -> str | None:
        """Return the name of a Slack id, without `@`."""
        ...

    def members(self, usergroup: str) -> frozenset[str]:
        """Return the Slack ids in usergroup `S…`; empty if it is not known (yet)."""
        ...

    def refresh(self) -> None:
        """Who is in which usergroup has changed: find out, beside everything else."""
        ...


class NoDirectory:
    """Knows nobody by name: for surfaces without Slack. An id may be somebody's, so it is believed."""

    def find(self, word: str) -> str | None:
        return word if is_person(word) else None

    def name(self, user: str) -> str | None:
        return None

    def members(self, usergroup: str) -> frozenset[str]:
        return frozenset()

    def refresh(self) -> None:
        """Nothing to find out."""
