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
from bot.domain.verbs import VERBS, OpenForm, ParseContext, Query, Undo, UseRunbook, parse
from bot.domain.verbs.model import FormName

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
ASKING: tuple[FormName, ...] = (
    "note", "task", "page", "role", "handoff", "service", "reopen", "cancel", "merge",
)  # fmt: skip
"""Verbs that say nothing without words: bare, they open their form."""
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
        ("declare “A” is “B”", D("“A” is “B”")),
        ("declare “it's down\"", D("it's down")),
        ("declare ‘it’s down’", D("it’s down")),
        ("declare “A”\n“B”", D("A", description="“B”")),
        ("declare --service “payments api” sev1 down", D("down", S1, service="payments api")),
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
        ("help severity", Query("help", "sev")),
        ("help oncall override", Query("help", "override")),
        ("help me", Query("help", "me")),
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
        ("handoff decline", c.DeclineHandoff()),
        ("handoff decline because I am on a train", c.DeclineHandoff("I am on a train")),
        ("handoff no", c.DeclineHandoff()),
        ("handoff withdraw", c.WithdrawHandoff()),
        ("handoff cancel: she is asleep", c.WithdrawHandoff("she is asleep")),
        ("update we restart the pool next 30m", c.PostUpdate("we restart the pool", timedelta(minutes=30))),
        ("update line one\nline two, next in 1h 30m.", c.PostUpdate("line one\nline two", timedelta(minutes=90))),
        ("update we go on with the next 2 hosts", c.PostUpdate("we go on with the next 2 hosts")),
        (f"update {U1} is on it", c.PostUpdate("<@U0BOB000002> is on it")),
        ("note the deploy began", c.AddNote("the deploy began")),
        ("note 14:32 the deploy began", c.AddNote("the deploy began", datetime(2026, 3, 14, 13, 32, tzinfo=UTC))),
        ("note 23:10: it began", c.AddNote("it began", datetime(2026, 3, 13, 22, 10, tzinfo=UTC))),
        ("note yesterday 9:05 it began", c.AddNote("it began", datetime(2026, 3, 13, 8, 5, tzinfo=UTC))),
        ("note 2026-03-01 09:00 it began", c.AddNote("it began", datetime(2026, 3, 1, 8, 0, tzinfo=UTC))),
        (
            "note 14:32:10 the deploy began",
            c.AddNote("the deploy began", datetime(2026, 3, 14, 13, 32, 10, tzinfo=UTC)),
        ),
        ("note 14:32:99 is no time", c.AddNote("14:32:99 is no time")),
        ("note 25:00 is no time", c.AddNote("25:00 is no time")),
        ("note 14:32", c.AddNote("14:32")),
        ("runbook disk-full", UseRunbook("disk-full")),
        ("step 3 done", c.MarkStep(3, "done")),
        ("step 3 failed no access to db-1", c.MarkStep(3, "failed", "no access to db-1")),
        ("step skip #4", c.MarkStep(4, "skipped")),
        (f"task Add an alert {U1} due 3d", c.AddTask("Add an alert", "U0BOB000002", timedelta(days=3))),
        ("task Add an alert due in 1w @bob", c.AddTask("Add an alert", "U0BOB000002", timedelta(weeks=1))),
        ("task pay the invoice due tomorrow", c.AddTask("pay the invoice due tomorrow")),
        ("task pay due 3bd @bob", c.AddTask("pay", "U0BOB000002", due=datetime(2026, 3, 18, 16, 0, tzinfo=UTC))),
        ("task pay due 2026-12-01", c.AddTask("pay", due=datetime(2026, 12, 1, 16, 0, tzinfo=UTC))),
        ("task pay due by 2026-12-01 09:30.", c.AddTask("pay", due=datetime(2026, 12, 1, 8, 30, tzinfo=UTC))),
        ("task W3C validation of headers", c.AddTask("W3C validation of headers")),
        ("task U0BOB000002 is an id", c.AddTask("U0BOB000002 is an id")),
        ("task Fix @types/node in the build", c.AddTask("Fix @types/node in the build")),
        ("task Fix @types/node @bob", c.AddTask("Fix @types/node", "U0BOB000002")),
        ("task Ask @bob about the pool", c.AddTask("Ask @bob about the pool", "U0BOB000002")),
        ("task @bob: write it down", c.AddTask("write it down", "U0BOB000002")),
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
        ("resolve as designed", c.Resolve("as designed")),
        ("resolve since 14:00 no errors", c.Resolve("since 14:00 no errors")),
        ("resolve because of the rollback", c.Resolve("because of the rollback")),
        ("resolve", OpenForm("resolve")),
        ("reopen because it is back", c.Reopen("it is back")),
        ("close", c.Close()),
        ("cancel because it was a test", c.Cancel("it was a test")),
        ("cancel because of a typo", c.Cancel("because of a typo")),
        ("cancel as it was a test", c.Cancel("as it was a test")),
        ("undo", Undo()),
        ("oops", Undo()),
        ("merge INC-3", c.Merge(3)),
        ("merge into 3", c.Merge(3)),
        ("merge INC-3 because the same pool", c.Merge(3, reason="the same pool")),
        ("merge into 3: the same pool", c.Merge(3, reason="the same pool")),
        ("retry", c.RetryDelivery()),
        ("undelivered", Query("undelivered")),
        ("redeliver", c.Redeliver()),
        ("redeliver notice:digest/2026-03-02", c.Redeliver("notice:digest/2026-03-02")),
        ("declare", OpenForm("declare")),
        ("update", OpenForm("update")),
        ("title", OpenForm("title")),
        ("runbook", OpenForm("runbook")),
        *((verb, OpenForm(verb)) for verb in ASKING),
    ],
)
def test_each_verb_reads_its_words(text: str, expected: object) -> None:
    assert wish(text) == expected


@pytest.mark.parametrize("text", ["ack INC-7", "INC-7 ack", "ack inc-7", "ack INC 7:", "ack #inc_7"])
def test_an_incident_may_be_named_before_or_after_the_verb(text: str) -> None:
    parsed = parse(text, ctx())
    assert (parsed.incident, parsed.wish) == (7, c.Acknowledge())


@pytest.mark.parametrize(
    "text",
    [
        "public approve INC-7", "handoff accept INC-7", "handoff decline INC-7", "lead @bob INC-7",
        "role scribe @bob inc-7", "sev 1 INC-7",
    ],
)  # fmt: skip
def test_a_few_words_may_name_the_incident_last(text: str) -> None:
    assert parse(text, ctx()).incident == 7


def test_a_sentence_may_mention_another_incident() -> None:
    parsed = parse("note the same as INC-3", ctx())
    assert (parsed.incident, parsed.wish) == (None, c.AddNote("the same as INC-3"))
    assert parse("sev 2 because INC-3", ctx()).wish == c.SetSeverity(S2, "INC-3")
    assert parse("handoff decline I work on INC-3", ctx()).wish == c.DeclineHandoff("I work on INC-3")


ALONE = sorted(verb.name for verb in VERBS.values() if verb.number_is_incident)


@pytest.mark.parametrize("verb", ALONE)
@pytest.mark.parametrize("number", ["7", "#7", "7."])
def test_a_number_alone_is_the_incident_where_it_can_be_nothing_else(verb: str, number: str) -> None:
    assert parse(f"{verb} {number}", ctx()).incident == 7
    assert parse(f"{verb} {number}", ctx()).wish == parse(verb, ctx()).wish


def test_a_number_among_words_is_one_of_them_and_one_that_means_something_keeps_its_meaning() -> None:
    assert parse("resolve 7 hosts were restarted", ctx()).wish == c.Resolve("7 hosts were restarted")
    assert parse("sev 2", ctx()).wish == c.SetSeverity(S2)
    assert parse("title 7", ctx()).wish == c.SetTitle("7")
    assert parse("merge 3", ctx()).wish == c.Merge(3)


def test_an_incident_alone_asks_how_it_stands() -> None:
    parsed = parse("INC-7", ctx())
    assert (parsed.incident, parsed.wish) == (7, Query("status"))


def test_merge_takes_one_incident_or_two() -> None:
    assert parse("merge INC-2 into INC-3", ctx()).incident == 2
    assert parse("merge INC-2 INC-3", ctx()).wish == c.Merge(3)
    assert parse("merge INC-2 3 because x", ctx()).wish == c.Merge(3, reason="x")
    assert parse("INC-2 merge 3", ctx()).incident == 2
    assert parse("merge INC-3", ctx()).incident is None


@pytest.mark.parametrize(
    ("text", "refusal", "says"),
    [
        ("decalre checkout is down", r.UnknownCommand, "Did you mean `declare`?"),
        ("statsu", r.UnknownCommand, "Did you mean `status`?"),
        ("frobnicate", r.UnknownCommand, "`help` lists them all"),
        ("help akc", r.UnknownCommand, "Did you mean `ack`?"),
        ("help nonsense", r.UnknownCommand, "`nonsense` is not a command"),
        ("declare sev5 x", r.UnknownSeverity, "sev1, sev2, sev3 or sev4"),
        ("declare --privat Leak", r.BadArgument, "`--private`"),
        ("sev purple", r.UnknownSeverity, "purple"),
        ("sev", r.MissingArgument, "sev 2"),
        ("status lunch", r.UnknownStatus, "investigating"),
        ("lead @nobody", r.UnknownPerson, "@nobody"),
        ("lead", r.MissingArgument, "lead @someone"),
        ("lead U0999", r.UnknownPerson, "U0999"),
        ("lead @U0999", r.UnknownPerson, "U0999"),
        ("role scribe W3C", r.UnknownPerson, "W3C"),
        ("task pay due 2026-02-30", r.BadArgument, "not a date"),
        ("role scribe", r.MissingArgument, "role NAME"),
        ("step", r.MissingArgument, "step N"),
        ("step 3 maybe", r.BadArgument, "maybe"),
        ("step x done", r.BadArgument, "number"),
        ("public shout", r.BadArgument, "shout"),
        ("ack INC-99999999999999999999", r.UnknownIncident, "no incident"),
        ("note 2026-13-45 10:00 x", r.BadArgument, "not a date"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_how_to_write_it(text: str, refusal: type[r.Refused], says: str) -> None:
    with pytest.raises(refusal) as caught:
        parse(text, ctx())
    assert says in caught.value.text


@pytest.mark.parametrize("text", ["declare", "update", "title", "runbook", "note", "merge", "page", "task", "handoff"])
def test_where_no_form_can_open_the_refusal_says_how(text: str) -> None:
    with pytest.raises(r.MissingArgument):
        parse(text, ctx(forms=False))


def test_a_bare_resolve_resolves_where_no_form_can_open() -> None:
    assert wish("resolve", forms=False) == c.Resolve()


def test_text_of_the_command_line_is_taken_literally() -> None:
    assert wish("title a &lt; b", escaped=False) == c.SetTitle("a &lt; b")


ON_CALL = Policy.model_validate({"oncall": {"primary": {"people": ["U0BOB000002"]}}})
KNOWN: dict[str, object] = {"policy": Policy(services={"Checkout": Service(), "W3C": Service()})}


@pytest.mark.parametrize(
    "text",
    [
        "declare x #chekout",
        "declare x see #ops-room #chekout",
        "declare x --service chekout",
        "service chekout",
        "page chekout",
    ],
)
def test_a_slip_of_a_service_is_refused_with_what_was_meant(text: str) -> None:
    with pytest.raises(r.UnknownService) as refused:
        wish(text, **KNOWN)
    assert "Did you mean `Checkout`? Known: Checkout, W3C." in refused.value.text


@pytest.mark.parametrize("text", ["declare x --service billing", "service billing", "page billing"])
def test_a_service_that_nobody_configured_is_refused_where_some_are(text: str) -> None:
    with pytest.raises(r.UnknownService, match=r"configuration\. Known: Checkout, W3C"):
        wish(text, **KNOWN)


@pytest.mark.parametrize(
    ("text", "title", "service"),
    [
        ("declare x #checkout", "x", "Checkout"),
        ("declare down see #ops-room", "down see #ops-room", None),
        ("declare down see #ops-room #CHECKOUT", "down see #ops-room", "Checkout"),
        ("declare down see <#C0OPS|checkout-ops>", "down see #checkout-ops", None),
        ("declare #checkout-ops is silent, so is #checkout", "#checkout-ops is silent, so is", "Checkout"),
    ],
)
def test_a_channel_that_is_no_service_stays_in_the_title(text: str, title: str, service: str | None) -> None:
    assert wish(text, **KNOWN) == D(title, service=service)


def test_what_is_paged_is_a_service_first_then_a_person() -> None:
    assert wish("page W3C the validator", **KNOWN) == c.PageSomeone("W3C", "the validator")
    assert wish("page bob", **KNOWN) == c.PageSomeone("U0BOB000002")
    assert wish("page U0BOB000002", **KNOWN) == c.PageSomeone("U0BOB000002")


@pytest.mark.parametrize("text", ["lead U0002", "lead @U0002", "role ops U0002", "handoff U0002", "page U0002"])
def test_a_short_id_is_a_person_if_the_directory_has_it(text: str) -> None:
    found = wish(text, find_person=lambda word: "U0002" if word.lstrip("@") == "U0002" else None)
    assert "U0002" in (getattr(found, "user", ""), getattr(found, "target", ""))


@pytest.mark.parametrize("quoted", ["“{}”", "«{}»", "„{}“", "‘{}’", '"{}"', '“{}"'])
@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("title", c.SetTitle),
        ("update", c.PostUpdate),
        ("note", c.AddNote),
        ("resolve", c.Resolve),
        ("cancel because", c.Cancel),
        ("reopen", c.Reopen),
        ("task", c.AddTask),
        ("public draft", c.DraftPublic),
    ],
)
def test_quotes_around_all_that_was_said_are_no_words_of_it(quoted: str, before: str, said: type) -> None:
    assert wish(f"{before} {quoted.format('the pool is full')}") == said("the pool is full")
    kept = f"{quoted.format('the pool')} is {quoted.format('full')}"
    assert wish(f"{before} {kept}") == said(kept)


def test_quotes_around_one_word_are_none_of_it() -> None:
    assert wish("service “checkout”") == c.SetService("checkout")
    assert wish("status “monitoring” it holds") == c.SetStatus(Status.MONITORING, "it holds")
    assert wish("role “incident commander” @bob") == c.AssignRole("incident commander", "U0BOB000002")
    assert wish("update “we restart” next 30m") == c.PostUpdate("we restart", timedelta(minutes=30))


@pytest.mark.parametrize(
    ("now", "said", "at"),
    [
        ((3, 14, 13, 0), "14:01", None),
        ((3, 14, 13, 0), "14:05", None),
        ((3, 14, 13, 0), "14:06", (3, 13, 13, 6)),
        ((3, 14, 13, 0), "14:00", (3, 14, 13, 0)),
        ((3, 14, 22, 59), "00:01", None),
        ((3, 14, 22, 59), "23:59", (3, 14, 22, 59)),
        ((3, 14, 13, 0), "2026-03-14 14:02", None),
    ],
)
def test_a_clock_that_is_a_little_fast_means_now_and_not_yesterday(
    now: tuple[int, int, int, int], said: str, at: tuple[int, int, int, int] | None
) -> None:
    """Times are said in Berlin, where it is one hour later."""
    expected = datetime(2026, *at, tzinfo=UTC) if at else None
    assert wish(f"note {said} it began", now=datetime(2026, *now, tzinfo=UTC)) == c.AddNote("it began", expected)


NEEDS_WORDS = ("title", "service", "lead", "role", "handoff", "update", "note", "step", "task", "page", "merge")


@pytest.mark.parametrize("verb", NEEDS_WORDS)
def test_on_the_command_line_a_refusal_shows_how_to_write_it_there(verb: str) -> None:
    with pytest.raises(r.MissingArgument, match=f"`tocsin incident {verb} 7"):
        parse(f"INC-1 {verb}", ctx(via="cli", forms=False))


CLI = ctx(via="cli", forms=False, policy=ON_CALL)


@pytest.mark.parametrize(("verb", "ways"), [("handoff", 2), ("task", 2), ("override", 1)])
def test_each_way_of_writing_it_is_shown_as_the_command_line_takes_it(verb: str, ways: int) -> None:
    with pytest.raises(r.Refused) as refused:
        parse(f"{verb} primary @bob" if verb == "override" else f"INC-1 {verb}", CLI)
    assert refused.value.text.count("tocsin incident") == ways


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


@pytest.mark.parametrize(
    ("words", "level"),
    [
        ("1", S1), ("sev1", S1), ("SEV-1", S1), ("Sev 1", S1), ("sev_1", S1), ("p0", S1), ("P0", S1), ("critical", S1),
        ("to sev1", S1), ("crit", S1), ("2", S2), ("p1", S2), ("high", S2), ("severity 3", S3), ("medium", S3),
        ("P3", S4), ("low", S4),
    ],
)  # fmt: skip
@pytest.mark.parametrize("why", ["", " because it spreads", ": it spreads", " – it spreads", " because: “it spreads”"])
def test_a_severity_is_understood_however_it_is_written(words: str, level: Severity, why: str) -> None:
    found = wish(f"sev {words}{why}")
    assert isinstance(found, c.SetSeverity)
    assert found.severity is level
    assert found.reason.strip('“”"') == ("it spreads" if why else "")


@pytest.mark.parametrize(
    "who", ["<@U0BOB000002>", "<@U0BOB000002|bob>", "@bob", "@Bob", "@bob.", "U0BOB000002", "\u00a0@bob "]
)
@pytest.mark.parametrize("verb", ["lead", "handoff", "page"])
def test_a_person_is_understood_however_they_are_mentioned(verb: str, who: str) -> None:
    found = wish(f"{verb} {who}")
    named = found.target if isinstance(found, c.PageSomeone) else found.user  # type: ignore[attr-defined]
    assert named == "U0BOB000002"


@pytest.mark.parametrize("word", ["checkout", "#checkout", "<#C0CHECKOUT|checkout>", "Checkout", "#CHECKOUT,"])
def test_a_service_is_understood_however_it_is_written(word: str) -> None:
    policy = Policy(services={"checkout": Service()})
    assert wish(f"service {word}", policy=policy) == c.SetService("checkout")
