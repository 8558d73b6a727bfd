"""Names that travel through Slack and come back: action, block and callback ids. Shared by messages and their handlers.

Buttons carry the incident number as `value` unless said otherwise; a live message's controls work for everyone in it.
"""

from typing import Final

# --- the card ------------------------------------------------------------------------------------------
ACK: Final = "ack"
SEVERITY: Final = "severity"
"""static_select on the card; option value `<incident>:sev2`; a lower one opens a form that asks why."""
STATUS: Final = "status"
"""static_select on the card; option value `<incident>:monitoring`; `resolved` opens the resolve form."""
LEAD: Final = "lead"
"""users_select; block_id `lead:<incident>`."""
UPDATE: Final = "update"
"""button: opens the update form."""
RUNBOOK: Final = "runbook"
"""button: opens the runbook chooser form."""
PUBLIC: Final = "public"
"""button: opens the public-update form."""
RESOLVE: Final = "resolve"
"""button: opens the resolve form."""
RETRY: Final = "retry"
"""button: tries failed deliveries again."""
TITLE: Final = "title"
"""button on a card whose title was assumed: opens the title form."""
ACCEPT_HANDOFF: Final = "accept_handoff"

# --- the runbook ---------------------------------------------------------------------------------------
STEP: Final = "step"
"""overflow with action_id `step:<n>`, buttons with `step:<n>:<outcome>` (ids differ within a block);
value, or the option's value: `<incident>:<n>:done|skipped|failed|open`."""
STEPS_PAGE: Final = "steps_page"
"""buttons with action_id `steps_page:<page>`, value `<incident>:<page>`: show a page of a long runbook to the asker."""

# --- the public draft ----------------------------------------------------------------------------------
DRAFT_EDIT: Final = "draft_edit"
DRAFT_APPROVE: Final = "draft_approve"
"""value `<incident>:<version>`."""
DRAFT_PUBLISH: Final = "draft_publish"
DRAFT_DISCARD: Final = "draft_discard"

# --- elsewhere -----------------------------------------------------------------------------------------
JOIN: Final = "join"
"""button in the announcement: adds the clicker to the channel."""
POSTMORTEM: Final = "postmortem"
"""button: shows the compiled postmortem's summary and link."""
DECLARE: Final = "declare"
"""button in help: opens the declare form. Value is a title, or NO_TITLE (Slack takes no empty value)."""
NO_TITLE: Final = "-"
LINK: Final = "link"
"""prefix of action ids of plain link buttons (`link:1`): acknowledged and ignored."""

# --- forms (callback ids) ------------------------------------------------------------------------------
FORM_DECLARE: Final = "form_declare"
FORM_UPDATE: Final = "form_update"
FORM_RESOLVE: Final = "form_resolve"
FORM_PUBLIC: Final = "form_public"
FORM_RUNBOOK: Final = "form_runbook"
FORM_SEVERITY: Final = "form_severity"
FORM_TITLE: Final = "form_title"
SHORTCUT_DECLARE: Final = "declare_incident"
"""Global shortcut."""

# --- the asker's own answers ---------------------------------------------------------------------------
UNDO: Final = "undo"
"""button under a fresh declaration: takes it back."""
ASK: Final = "ask"
"""buttons in help (`ask`, `ask:oncall`): a look-up; value is what one would type after /incident."""
