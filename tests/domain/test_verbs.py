"""The grammar: what people type becomes the one thing they meant."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import commands as c
from bot.domain import refusals as r
from bot.domain.policy import Organization, Policy, Service
from bot.domain.severity import Severity, Status
from bot.domain.verbs import VERBS, OpenForm, ParseContext, Query, UseRunbook, parse

NOW = datetime(2026, 3, 14, 15, 0, tzinfo=UTC)
PEOPLE = {"bob": "U0BOB000002", "ann.lee": "U0ANN"}


def ctx(**changes: object) -> ParseContext:
    values: dict[str, object] = {
        "policy": Policy(organization=Organization(timezone="Europe/Berlin")),
        "now": NOW,
        "actor": "U0ALICE0001",
        "escaped": True,
        "forms": True,
        "find_person": lambda word: PEOPLE.get(word.lstrip("@").lower()),
    }
    return ParseContext(**{**values, **changes})  # type: ignore[arg-type]


def wish(text: str, **changes: object) -> object:
    return parse(text, ctx(**changes)).wish


D = c.Declare
S1, S2, S3, S4 = Severity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("declare sev1 Checkout is down #checkout", D("Checkout is down", S1, service="checkout")),
        ("declare SEV-1 Checkout is down", D("Checkout is down", S1)),
        ("new p0: Checkout is down", D("Checkout is down", S1)),
        ("open critical Checkout is down", D("Checkout is down", S1)),
        ("create sev 2 - Slow", D("Slow", S2)),
        ("declare severity 3 Slow", D("Slow", S3)),
        ("declare sev1", D("", S1)),
        ("declare high", D("", S2)),
        ("declare low: typo on the front page", D("typo on the front page", S4)),
        ("declare checkout is down sev1", D("checkout is down", S1)),
        ("declare high latency on the API", D("high latency on the API")),
        ("declare low disk on db-1", D("low disk on db-1")),
        ("declare S3 bucket is gone", D("S3 bucket is gone")),
        ("declare 2 nodes down", D("2 nodes down")),
        ("declare list is empty", D("list is empty")),
        ("declare INC-3 follow-up failed", D("INC-3 follow-up failed")),
        ("declare #1 customer is down", D("#1 customer is down")),
        ("declare sev1 --private Leak", D("Leak", S1, private=True)),
        ("declare sev1 Leak —private", D("Leak", S1, private=True)),
        ("declare –drill sev2 Practice", D("Practice", S2, drill=True)),
        ("declare <#C0CHECKOUT|checkout> sev1 down", D("down", S1, service="checkout")),
        ("declare --sev 1 --service checkout down", D("down", S1, service="checkout")),
        (
            "declare “checkout\u00a0is down” —sev 1\nsecond line 🔥",
            D("checkout is down", S1, description="second line 🔥"),
        ),
        ('declare sev1 "Checkout is down"', D("Checkout is down", S1)),
        ("declare sev1\nCheckout is down", D("Checkout is down", S1)),
        ("declare a &lt; b &amp;&amp; c", D("a < b && c")),
        ("declare <https://x.example/a?b=1&amp;c=2> fails", D("https://x.example/a?b=1&c=2 fails")),
        ("declare rm --force hurt us", D("rm --force hurt us")),
        ("Declare: it's down", D("it's down")),
    ],
)
def test_a_declaration_keeps_its_words_and_gives_up_its_options(text: str, expected: c.Declare) -> None:
    assert wish(text) == expected


U1 = "<@U0BOB000002|bob>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Query("help")),
        ("help ack", Query("help", "ack")),
        ("list", Query("list")),
        ("status", Query("status")),
        ("status?", Query("status")),
        ("status monitoring", c.SetStatus(Status.MONITORING)),
        ("status ident it was the pool", c.SetStatus(Status.IDENTIFIED, "it was the pool")),
        ("status resolved we restarted it", c.Resolve("we restarted it")),
        ("status closed", c.Close()),
        ("status cancelled because test", c.Cancel("test")),
        ("timeline", Query("timeline")),
        ("timers", Query("timers")),
        ("catchup", Query("catchup")),
        ("oncall checkout", Query("oncall", "checkout")),
        ("postmortem", Query("postmortem")),
        ("ack", c.Acknowledge()),
        ("ACK thanks", c.Acknowledge()),
        ("sev 2 because only one region", c.SetSeverity(S2, "only one region")),
        ("severity critical", c.SetSeverity(S1)),
        ("sev SEV-1: all regions", c.SetSeverity(S1, "all regions")),
        ("sev to p1", c.SetSeverity(S2)),
        ("title Sev 2 is what it was", c.SetTitle("Sev 2 is what it was")),
        ("service #checkout", c.SetService("checkout")),
        (f"lead {U1}", c.AssignRole("lead", "U0BOB000002")),
        ("lead @bob", c.AssignRole("lead", "U0BOB000002")),
        ("lead me", c.AssignRole("lead", "U0ALICE0001")),
        ("lead @U0CAROL0003", c.AssignRole("lead", "U0CAROL0003")),
        ("lead bob", c.AssignRole("lead", "U0BOB000002")),
        (f"role scribe {U1}", c.AssignRole("scribe", "U0BOB000002")),
        (f"role {U1} scribe", c.AssignRole("scribe", "U0BOB000002")),
        ("role comms @ann.lee", c.AssignRole("comms", "U0ANN")),
        (f"handoff {U1}", c.OfferHandoff("U0BOB000002")),
        ("handoff accept", c.AcceptHandoff()),
        ("update we restart the pool next 30m", c.PostUpdate("we restart the pool", timedelta(minutes=30))),
        ("update line one\nline two, next in 1h 30m.", c.PostUpdate("line one\nline two", timedelta(minutes=90))),
        ("update we go on with the next 2 hosts", c.PostUpdate("we go on with the next 2 hosts")),
        (f"update {U1} is on it", c.PostUpdate("<@U0BOB000002> is on it")),
        ("note the deploy began", c.AddNote("the deploy began")),
        ("note 14:32 the deploy began", c.AddNote("the deploy began", datetime(2026, 3, 14, 13, 32, tzinfo=UTC))),
        ("note 23:10: it began", c.AddNote("it began", datetime(2026, 3, 13, 22, 10, tzinfo=UTC))),
        ("note yesterday 9:05 it began", c.AddNote("it began", datetime(2026, 3, 13, 8, 5, tzinfo=UTC))),
        ("note 2026-03-01 09:00 it began", c.AddNote("it began", datetime(2026, 3, 1, 8, 0, tzinfo=UTC))),
        ("note 25:00 is no time", c.AddNote("25:00 is no time")),
        ("note 14:32", c.AddNote("14:32")),
        ("runbook disk-full", UseRunbook("disk-full")),
        ("step 3 done", c.MarkStep(3, "done")),
        ("step 3 failed no access to db-1", c.MarkStep(3, "failed", "no access to db-1")),
        ("step skip #4", c.MarkStep(4, "skipped")),
        (f"task Add an alert {U1} due 3d", c.AddTask("Add an alert", "U0BOB000002", timedelta(days=3))),
        ("task Add an alert due in 1w @bob", c.AddTask("Add an alert", "U0BOB000002", timedelta(weeks=1))),
        ("task pay the invoice due tomorrow", c.AddTask("pay the invoice due tomorrow")),
        ("task done 2", c.CompleteTask(2)),
        (f"page {U1} because db", c.PageSomeone("U0BOB000002", "db")),
        ("page checkout nobody answers", c.PageSomeone("checkout", "nobody answers")),
        ("public", OpenForm("public")),
        ("public draft We are on it", c.DraftPublic("We are on it")),
        ("public review", Query("public")),
        ("public approve 3", c.ApprovePublic(3)),
        ("public publish", c.PublishPublic()),
        ("public discard", c.DiscardPublic()),
        ("mitigate rolled back", c.SetStatus(Status.MONITORING, "rolled back")),
        ("resolve restarted the pool", c.Resolve("restarted the pool")),
        ("resolve", OpenForm("resolve")),
        ("reopen because it is back", c.Reopen("it is back")),
        ("close", c.Close()),
        ("cancel because it was a test", c.Cancel("it was a test")),
        ("merge INC-3", c.Merge(3)),
        ("merge into 3", c.Merge(3)),
        ("retry", c.RetryDelivery()),
        ("declare", OpenForm("declare")),
        ("update", OpenForm("update")),
        ("title", OpenForm("title")),
        ("runbook", OpenForm("runbook")),
    ],
)
def test_each_verb_reads_its_words(text: str, expected: object) -> None:
    assert wish(text) == expected


@pytest.mark.parametrize("text", ["ack INC-7", "INC-7 ack", "ack inc-7", "ack INC 7:", "ack #inc_7"])
def test_an_incident_may_be_named_before_or_after_the_verb(text: str) -> None:
    parsed = parse(text, ctx())
    assert (parsed.incident, parsed.wish) == (7, c.Acknowledge())


@pytest.mark.parametrize(
    "text", ["public approve INC-7", "handoff accept INC-7", "lead @bob INC-7", "role scribe @bob inc-7", "sev 1 INC-7"]
)
def test_a_few_words_may_name_the_incident_last(text: str) -> None:
    assert parse(text, ctx()).incident == 7


def test_a_sentence_may_mention_another_incident() -> None:
    parsed = parse("note the same as INC-3", ctx())
    assert (parsed.incident, parsed.wish) == (None, c.AddNote("the same as INC-3"))
    assert parse("sev 2 because INC-3", ctx()).wish == c.SetSeverity(S2, "INC-3")


def test_an_incident_alone_asks_how_it_stands() -> None:
    parsed = parse("INC-7", ctx())
    assert (parsed.incident, parsed.wish) == (7, Query("status"))


def test_merge_takes_one_incident_or_two() -> None:
    assert parse("merge INC-2 into INC-3", ctx()).incident == 2
    assert parse("merge INC-2 INC-3", ctx()).wish == c.Merge(3)
    assert parse("merge INC-3", ctx()).incident is None


@pytest.mark.parametrize(
    ("text", "refusal", "says"),
    [
        ("decalre checkout is down", r.UnknownCommand, "Did you mean `declare`?"),
        ("statsu", r.UnknownCommand, "Did you mean `status`?"),
        ("frobnicate", r.UnknownCommand, "`help` lists them all"),
        ("declare sev5 x", r.UnknownSeverity, "sev1, sev2, sev3 or sev4"),
        ("declare --privat Leak", r.BadArgument, "`--private`"),
        ("sev purple", r.UnknownSeverity, "purple"),
        ("sev", r.MissingArgument, "sev 2"),
        ("status lunch", r.UnknownStatus, "investigating"),
        ("lead @nobody", r.UnknownPerson, "@nobody"),
        ("lead", r.MissingArgument, "lead @someone"),
        ("role scribe", r.MissingArgument, "role NAME"),
        ("step", r.MissingArgument, "step N"),
        ("step 3 maybe", r.BadArgument, "maybe"),
        ("step x done", r.BadArgument, "number"),
        ("note", r.MissingArgument, "note"),
        ("public shout", r.BadArgument, "shout"),
        ("merge", r.MissingArgument, "INC-3"),
        ("ack INC-99999999999999999999", r.UnknownIncident, "no incident"),
        ("note 2026-13-45 10:00 x", r.BadArgument, "not a date"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_how_to_write_it(text: str, refusal: type[r.Refused], says: str) -> None:
    with pytest.raises(refusal) as caught:
        parse(text, ctx())
    assert says in caught.value.text


@pytest.mark.parametrize("text", ["declare", "update", "title", "runbook"])
def test_where_no_form_can_open_the_refusal_says_how(text: str) -> None:
    with pytest.raises(r.MissingArgument):
        parse(text, ctx(forms=False))


def test_a_bare_resolve_resolves_where_no_form_can_open() -> None:
    assert wish("resolve", forms=False) == c.Resolve()


def test_text_of_the_command_line_is_taken_literally() -> None:
    assert wish("title a &lt; b", escaped=False) == c.SetTitle("a &lt; b")


def test_a_typo_of_a_known_service_is_refused_and_its_name_takes_its_proper_case() -> None:
    known = ctx(policy=Policy(services={"Checkout": Service()}))
    assert parse("declare x #checkout", known).wish == D("x", service="Checkout")
    with pytest.raises(r.UnknownService, match="Checkout"):
        parse("declare x #chekout", known)
    with pytest.raises(r.UnknownService):
        parse("page billing", known)


def test_no_verb_or_alias_is_claimed_twice() -> None:
    words = [word for verb in VERBS.values() for word in (verb.name, *verb.aliases)]
    assert len(words) == len(set(words))


_WORDS = st.sampled_from(
    [*VERBS, "INC-7", "<@U0BOB000002|bob>", "@bob", "@x", "#checkout", "--private", "—", "14:32", "next", "due", "30m",
     "done", "accept", "sev1", "because", "draft", "\n", "“", "<", "&lt;", "2026-02-30"]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.one_of(_WORDS, st.text(max_size=6)), max_size=8).map(" ".join)), st.booleans())
def test_whatever_is_typed_is_understood_or_refused_in_words(text: str, forms: bool) -> None:
    with suppress(r.Refused):
        parse(text, ctx(forms=forms))
