"""Who is who: names, and members of usergroups. Answers come from memory; nothing here waits for a vendor."""

from typing import Protocol


class Directory(Protocol):
    """The people of the workspace, as far as they are known now."""

    def find(self, word: str) -> str | None:
        """Return the Slack id of the person whose handle or display name is `word`; None if nobody or not known yet."""
        ...

    def name(self, user: str) -> str | None:
        """Return the name of a Slack id, without `@`."""
        ...

    def members(self, usergroup: str) -> frozenset[str]:
        """Return the Slack ids in usergroup `S…`; empty if it is not known (yet)."""
        ...


class NoDirectory:
    """Knows nobody: for surfaces without Slack."""

    def find(self, word: str) -> str | None:
        return None

    def name(self, user: str) -> str | None:
        return None

    def members(self, usergroup: str) -> frozenset[str]:
        return frozenset()
