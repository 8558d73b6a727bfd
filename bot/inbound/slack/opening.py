"""Which form stands behind which name. https://docs.slack.dev/surfaces/modals"""

from bot.domain.policy import Policy
from bot.render.slack import message_forms, more, views
from bot.render.slack.windows import View
from bot.usecases.desk import Form


def view_of(form: Form, policy: Policy, remembered: str, title: str = "") -> View:
    """Return the form to show. `title` is what a declaration begins with."""
    state = form.state
    if form.name == "override":
        return more.override_form(policy, remembered)
    if state is None:
        return views.declare_form(policy, remembered, title)
    match form.name:
        case "call":
            return more.call_form(state, remembered)
        case "cancel":
            return more.cancel_form(state, remembered)
        case "handoff":
            return more.handoff_form(state, remembered)
        case "merge":
            return more.merge_form(state, form.others, remembered)
        case "note":
            return message_forms.note_form((), "", remembered, policy.organization.timezone)
        case "page":
            return more.page_form(state, policy, remembered)
        case "public":
            return views.public_form(state, remembered)
        case "reopen":
            return more.reopen_form(state, remembered)
        case "resolve":
            return views.resolve_form(state, remembered)
        case "role":
            return more.role_form(state, policy, remembered)
        case "runbook":
            return views.runbook_form(state, form.runbooks, remembered)
        case "service":
            return more.service_form(state, policy, remembered)
        case "severity":
            return views.severity_form(state, form.severity, remembered)
        case "task":
            return message_forms.task_form((), "", remembered)
        case "update":
            return views.update_form(state, policy, remembered)
        case _:
            return views.title_form(state, remembered)
