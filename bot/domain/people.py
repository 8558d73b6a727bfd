"""Who acts: actor strings, and which of them are people in Slack."""

import re

_SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,20}")


def is_person(actor: str) -> bool:
    """True for a Slack user id (`U…`, or `W…` on Enterprise Grid); False for `cli:ann`, `alert:x`, `timer:respond`."""
    return _SLACK_USER.fullmatch(actor) is not None


def mention(actor: str) -> str:
    """Return `actor` as text that Slack shows as a name; other surfaces resolve `<@U…>` themselves."""
    return f"<@{actor}>" if is_person(actor) else actor
