"""Forms: legal whatever is in the policy and the incident, and telling what people need to choose well."""

import json
from datetime import timedelta

import pytest

from bot.domain.incident import Draft, Incident, Published
from bot.domain.policy import DEFAULT_SEVERITIES, Policy, Service, Severities
from bot.domain.severity import Severity, Status
from bot.render.slack import legal, views, windows
from tests.render.slack_witness import objections
from tests.support.desks import START

LONG = "<!channel> & `x` 🔥 " * 1000


def incident(**changes: object) -> Incident:
    values: dict[str, object] = {
        "number": 1, "seq": 9, "looks": 9, "title": "Checkout is down", "severity": Severity.SEV1,
        "declared_at": START, "declared_by": "U0ALICE0001", "room_name": "inc-1",
    }  # fmt: skip
    return Incident(**{**values, **changes})  # type: ignore[arg-type]


def draft(**changes: object) -> Draft:
    values = {
        "version": 1,
        "title": LONG[:200],
        "text": LONG[:5000],
        "status": Status.IDENTIFIED,
        "author": "U0ALICE0001",
    }
    return Draft(**{**values, **changes})  # type: ignore[arg-type]


WORST = incident(
    title=LONG[:200], last_update=LONG[:200], draft=draft(approved_by="U0BOB"),
    published=Published(version=1, status=Status.IDENTIFIED, at=START, count=1),
)  # fmt: skip
LARGE = Policy(
    services={f"{LONG[:70]}{n}": Service() for n in range(300)},
    severities=Severities(
        sev1=DEFAULT_SEVERITIES[Severity.SEV1].model_copy(
            update={"meaning": LONG, "update_every": timedelta(hours=1, minutes=7, seconds=3)}
        )
    ),
)


@pytest.mark.parametrize("state", [incident(), WORST, incident(private=True), incident(title_assumed=True)])
@pytest.mark.parametrize("policy", [Policy(), LARGE])
def test_every_form_is_legal_whatever_stands_in_it(state: Incident, policy: Policy) -> None:
    made = [
        views.declare_form(policy, views.metadata(None, "https://x.example", "C1"), LONG[:300]),
        views.update_form(state, policy),
        views.resolve_form(state),
        views.public_form(state),
        views.runbook_form(state, {f"{'runbook' * 20}-{n}": LONG[:200] for n in range(200)}),
        views.runbook_form(state, {}),
        views.severity_form(state, None),
        views.severity_form(state, Severity.SEV4),
        views.title_form(state),
        windows.note("A title that is far too long for Slack", LONG),
    ]
    for view in made:
        legal.check(view)
        assert objections(view["blocks"]) == []


def test_the_declare_form_says_what_each_severity_means_and_promises() -> None:
    text = json.dumps(views.declare_form(Policy()), ensure_ascii=False)
    for words in ("Complete outage", "Respond in 15m, pages on-call, update every 30m", "Respond in 1w"):
        assert words in text


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (incident(private=True), "sees nothing"),
        (incident(), "has seen nothing"),
        (incident(draft=draft(text="We are back")), "not approved, so it stays unpublished"),
        (incident(draft=draft(text="We are back", approved_by="U0BOB")), "We are back"),
        (
            incident(published=Published(version=1, status=Status.IDENTIFIED, at=START, count=1)),
            "see that it is resolved",
        ),
    ],
)
def test_the_resolve_form_says_what_the_public_will_see(state: Incident, says: str) -> None:
    assert says in json.dumps(views.resolve_form(state), ensure_ascii=False)


def test_a_title_longer_than_a_field_is_not_cut_on_its_way_through_the_form() -> None:
    """Alert titles are at most as long as the field, so saving the form unchanged changes nothing."""
    title = "x" * 200
    view = views.title_form(incident(title=title))
    assert view["blocks"][1]["element"]["initial_value"] == title


def test_a_runbook_is_chosen_by_its_title() -> None:
    view = views.runbook_form(incident(), {"disk-full": "A disk is full", "api-down": "An API is down"})
    options = view["blocks"][-1]["element"]["options"]
    assert [(one["text"]["text"], one["value"]) for one in options] == [
        ("A disk is full", "disk-full"), ("An API is down", "api-down"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "kind"), [(0, "plain_text_input"), (100, "static_select"), (101, "plain_text_input")]
)
def test_more_services_than_a_menu_holds_are_typed_and_none_is_out_of_reach(count: int, kind: str) -> None:
    policy = Policy(services={f"service-{n:03}": Service() for n in range(count)})
    blocks = views.declare_form(policy)["blocks"]
    field = next(block for block in blocks if block.get("block_id") == "service")
    assert field["element"]["type"] == kind
    assert ("service-000" in str(field.get("hint"))) is (count > 100)
