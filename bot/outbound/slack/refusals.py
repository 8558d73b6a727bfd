"""What Slack's errors mean for us: whether to try again, and what a person can do about it.

Sources: the error tables of the methods' pages, https://docs.slack.dev/reference/methods.
"""

from collections.abc import Mapping
from typing import Final

from bot.ports.delivery import DeliveryError
from bot.ports.waits import WAIT_UNTOLD

TRANSIENT: Final = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org", "update_failed"}
)
"""Slack's own trouble: the same call may work a moment later."""
LIMITED: Final = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded", "too_many_requests"})

_INSTALL = "Install the Slack app again, set SLACK_BOT_TOKEN to its bot token, and restart. `tocsin doctor` checks it."
_GONE = "The channel was deleted or made private. Restore it or invite @Tocsin to it, then press Try again."
_POSTING = "A workspace setting forbids the app to post there. Ask a workspace admin to allow it, then press Try again."
_OURS = "This is a mistake of ours: please report it with this text."

MENDS: Final[Mapping[str, str]] = {
    "access_denied": _POSTING,
    "account_inactive": _INSTALL,
    "app_access_restricted": _POSTING,
    "as_user_not_supported": _OURS,
    "cannot_create_channel": "Ask a workspace admin to let apps create channels, then press Try again.",
    "cant_invite": "Invite the person by hand.",
    "cant_update_message": "The message belongs to another app, perhaps an older installation. Nothing can change it.",
    "channel_not_found": _GONE,
    "duplicate_channel_not_found": _GONE,
    "edit_window_closed": "The workspace forbids edits of old messages. An admin can change that.",
    "ekm_access_denied": "An admin has suspended posting (key management). Press Try again when it is allowed.",
    "external_channel_migrating": "The channel is being moved between workspaces. Press Try again later.",
    "invalid_auth": _INSTALL,
    "invalid_blocks": _OURS,
    "invalid_name": "Change `channels.name` in tocsin.yaml: Slack does not take the channel name it makes.",
    "invalid_name_maxlength": "Shorten `channels.name` in tocsin.yaml.",
    "invalid_name_punctuation": "Change `channels.name` in tocsin.yaml: the name needs letters or digits.",
    "invalid_name_specials": "Change `channels.name` in tocsin.yaml: only lower-case letters, digits and hyphens.",
    "invalid_link": "Set TOCSIN_PUBLIC_URL to an address that starts with http:// or https://.",
    "is_archived": "The channel is archived. Unarchive it in Slack, then press Try again.",
    "is_inactive": "The channel is archived. Unarchive it in Slack, then press Try again.",
    "message_not_found": "Somebody deleted the message. Nothing can bring it back; the web page shows the same.",
    "messages_tab_disabled": "Turn on the app's messages tab: install the manifest again (`tocsin manifest`).",
    "missing_scope": "Install the app again with the manifest that `tocsin manifest` prints, then press Try again.",
    "msg_blocks_too_long": _OURS,
    "msg_too_long": _OURS,
    "no_permission": "Give the app the permission in Slack's workspace settings, then press Try again.",
    "no_such_subteam": "Correct the usergroup's id in tocsin.yaml.",
    "not_allowed_token_type": "SLACK_BOT_TOKEN must be the bot token; it begins with xoxb-.",
    "not_authed": _INSTALL,
    "not_enabled": "Turn on the app's Home tab: install the manifest again (`tocsin manifest`).",
    "not_in_channel": "Invite @Tocsin to the channel, then press Try again.",
    "permission_denied": _POSTING,
    "posting_to_channel_denied": _POSTING,
    "restricted_action": _POSTING,
    "restricted_action_read_only_channel": _POSTING,
    "restricted_action_thread_only_channel": _POSTING,
    "team_access_not_granted": _INSTALL,
    "token_expired": _INSTALL,
    "token_revoked": _INSTALL,
    "too_many_bookmarks": "Remove a bookmark from the channel, then press Try again.",
    "too_many_pins": "Remove a pin from the channel, then press Try again.",
    "user_disabled": "The person's account is deactivated: correct the id in tocsin.yaml.",
    "user_not_found": "There is no such person in this workspace: correct the id in tocsin.yaml.",
}
"""Error code → what a person can do. These, and any code we do not know, are never tried again by themselves."""


class SlackRefusal(DeliveryError):
    """Slack answered, and the answer was no. `code` is its error code; `errors` those of single users, if any."""

    def __init__(self, method: str, code: str, *, parks: str, wait: float = 0.0, detail: str = "") -> None:
        limited = code in LIMITED
        words = f"{method}: {code}"
        super().__init__(
            f"{words} ({detail})" if detail else words,
            permanent=not limited and code not in TRANSIENT,
            retry_after=(wait or WAIT_UNTOLD) if limited else 0.0,
            parks=parks if limited else "",
            mend=mend_for(method, code, detail),
        )
        self.code = code
        self.errors: Mapping[str, str] = {}


def mend_for(method: str, code: str, detail: str = "") -> str:
    """Return what a person can do about `code`; of a missing scope, `detail` says which."""
    if code == "missing_scope" and detail:
        return (
            f"The app {detail}: install it again with the manifest that `tocsin manifest` prints, then press Try again."
        )
    known = MENDS.get(code)
    if known or code in TRANSIENT or code in LIMITED:
        return known or ""
    return (
        f"Slack explains `{code}` at https://docs.slack.dev/reference/methods/{method}. Mend it, then press Try again."
    )
