"""The tables. Events are the truth; everything beside them is a queue, a head or a cache.

Texts are JSON as it was written: hashing is over the stored bytes. The migrations create exactly these tables
(a test compares them).
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, MetaData, Table, Text, TextClause, text

from bot.storage.columns import UtcTime

metadata: Final = MetaData()
# A 64-bit key that SQLite also takes for its rowid.
_POSITION: Final = BigInteger().with_variant(Integer(), "sqlite")


def _required(name: str, kind: Any, **more: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **more)


_OWING: Final = (
    "NOT active AND status <> 'cancelled' AND ({find}(state, '\"done\"\\:false') > 0 "
    "OR (status = 'resolved' AND {find}(state, '\"postmortem_due\"\\:null') = 0))"
)
"""What the snapshot of an incident says that is over and left something to do. In people's words a quotation mark has a
backslash before it, so none of them is taken for that."""


def _owing(find: str) -> TextClause:
    return text(_OWING.format(find=find))


def is_owing(dialect: str) -> TextClause:
    """Return the condition of the index of what is over and owes something, word for word; no less than that."""
    return _owing("instr" if dialect == "sqlite" else "strpos")


installation: Final = Table(
    "installation",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    _required("id", Text),
    _required("created_at", UtcTime),
    Column("snapshots", Text),
)
"""One row: which installation this is. Part of dedup keys that leave the house. `snapshots` is the shape of all of them
(`bot/storage/snapshots.py`)."""

counter: Final = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    _required("value", BigInteger),
)
"""One row, `incident`: the last number given. Locked and raised in the opening commit, so numbers have no gaps."""

incidents: Final = Table(
    "incidents",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _required("seq", BigInteger),
    _required("head_hash", Text),
    _required("state", Text),
    # What queries need of the state, kept beside it. `verify` compares.
    _required("title", Text),
    _required("declared_by", Text),
    _required("declared_at", UtcTime),
    _required("severity", Text),
    _required("status", Text),
    _required("active", Boolean),
    _required("private", Boolean),
    _required("drill", Boolean),
    _required("published", Boolean),
    Column("acknowledged_at", UtcTime),
    Column("channel", Text, unique=True),
    # How far the record stream was when the incident last changed.
    _required("record_seq", BigInteger, server_default="0"),
    _required("record_hash", Text, server_default=""),
    Index("ix_incidents_declarer", "declared_by", "declared_at"),
    Index("ix_incidents_active", "number", sqlite_where=text("active"), postgresql_where=text("active")),
    Index("ix_incidents_owing", "number", sqlite_where=_owing("instr"), postgresql_where=_owing("strpos")),
)
"""The head of each control stream and the snapshot: a cache of the fold. `record_seq` and `record_hash` are an entry of
the record stream, at its end or before it: whoever cuts that off below must change this row, too."""

record_heads: Final = Table(
    "record_heads",
    metadata,
    Column("incident", BigInteger, primary_key=True, autoincrement=False),
    _required("seq", BigInteger),
    _required("hash", Text),
)
"""The heads of the record streams: rows of their own, so that messages never wait for a decision, nor the reverse."""

events: Final = Table(
    "events",
    metadata,
    Column("incident", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _required("at", UtcTime),
    _required("actor", Text),
    _required("type", Text),
    _required("v", Integer),
    _required("data", Text),
    _required("words", Text),
    _required("request_id", Text),
    _required("command_id", Text),
    _required("hash", Text),
)
"""The control streams. `words` is the id of the contents row with the fields people wrote, or empty."""

records: Final = Table(
    "records",
    metadata,
    Column("incident", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _required("at", UtcTime),
    _required("actor", Text),
    _required("key", Text),
    _required("data", Text),
    _required("words", Text),
    _required("request_id", Text),
    _required("hash", Text),
    Index("ux_records_key", "incident", "key", unique=True),
)
"""The record streams: what was observed."""

contents: Final = Table(
    "contents",
    metadata,
    Column("id", Text, primary_key=True),
    _required("salt", Text),
    _required("body", Text),
)
"""Words, apart from the log: id = sha256(salt ‖ body). Deleting a row erases them; the chain still holds."""

_OPEN: Final = "state IN ('waiting', 'held', 'claimed')"
_FAILED: Final = "state = 'failed'"
_ARMED: Final = "state = 'armed'"
SHOWN_ONCE: Final = "state = 'waiting' AND show_key IS NOT NULL"
"""Of these rows there is one per incident and show key: the arbiter of the insert, word for word."""


def is_open(alias: str = "effects") -> TextClause:
    """Return the condition of the queue's partial indexes, word for word: with bound values they would not be used."""
    return text(f"{alias}.{_OPEN}")


def is_failed() -> TextClause:
    """Return the condition of the index of deliveries that gave up."""
    return text(f"effects.{_FAILED}")


def is_armed() -> TextClause:
    """Return the condition of the timers' partial index."""
    return text(f"timers.{_ARMED}")


effects: Final = Table(
    "effects",
    metadata,
    Column("pos", _POSITION, primary_key=True, autoincrement=True),
    _required("id", Text, unique=True),
    _required("incident", BigInteger),
    _required("seq", BigInteger),
    _required("kind", Text),
    _required("data", Text),
    Column("lane", Text),
    Column("show_key", Text),
    _required("cause", Text),
    _required("rank", Integer),
    _required("budget", Text),
    _required("state", Text),
    _required("attempt", Integer),
    _required("created_at", UtcTime),
    Column("not_before", UtcTime),
    Column("first_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("token", Text),
    Column("worker", Text),
    Column("lease_until", Double),
    _required("error", Text),
    _required("mend", Text, server_default=""),
    Index("ix_effects_queue", "rank", "pos", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
    Index("ix_effects_lane", "lane", "pos", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
    Index("ix_effects_incident", "incident", "pos"),
    Index("ix_effects_failed", "incident", sqlite_where=text(_FAILED), postgresql_where=text(_FAILED)),
    Index(
        "ux_effects_show",
        "incident",
        "show_key",
        unique=True,
        sqlite_where=text(SHOWN_ONCE),
        postgresql_where=text(SHOWN_ONCE),
    ),
)
"""The queue. state: waiting, held, claimed → done, failed, cancelled. `lease_until` is seconds since 1970 by the
database's clock; `attempt` counts claims; `first_at` is when the first one began; `error` is the last one, `mend` what
a person can do where it was given up."""

timers: Final = Table(
    "timers",
    metadata,
    Column("pos", _POSITION, primary_key=True, autoincrement=True),
    _required("incident", BigInteger),
    _required("kind", Text),
    _required("due", UtcTime),
    _required("state", Text),
    Column("ended_at", UtcTime),
    _required("late_by", Double),
    _required("why", Text),
    Index("ix_timers_due", "due", sqlite_where=text(_ARMED), postgresql_where=text(_ARMED)),
    Index("ix_timers_incident", "incident"),
    Index(
        "ux_timers_armed",
        "incident",
        "kind",
        unique=True,
        sqlite_where=text(_ARMED),
        postgresql_where=text(_ARMED),
    ),
)
"""state: armed → fired, cancelled. Ended rows stay: a timer's history is part of the incident's."""

looks: Final = Table(
    "looks",
    metadata,
    Column("pos", _POSITION, primary_key=True, autoincrement=True),
    _required("effect", Text),
    _required("incident", BigInteger),
    _required("kind", Text),
    _required("channel", Text),
    _required("ts", Text),
    _required("since", UtcTime),
    _required("due", UtcTime),
    _required("lost", Boolean),
    Column("taken_until", Double),
    Column("claim", Text),
    Index("ix_looks_due", "due"),
)
"""Looks for late copies that are owed: written with the result of a repeated attempt, gone when done. `taken_until` is
seconds since 1970 by the database's clock. `claim` tells what was placed where no `ts` is known."""

audit: Final = Table(
    "audit",
    metadata,
    Column("pos", _POSITION, primary_key=True, autoincrement=True),
    _required("at", UtcTime),
    _required("actor", Text),
    _required("surface", Text),
    _required("request_id", Text),
    _required("action", Text),
    Column("incident", BigInteger),
    _required("outcome", Text),
    _required("reason", Text),
    Index("ix_audit_incident", "incident", "pos"),
    Index("ix_audit_at", "at"),
)
"""Who asked for which change, and whether they were let (`bot/domain/audit.py`)."""

episodes: Final = Table(
    "episodes",
    metadata,
    Column("id", Text, primary_key=True),
    _required("source", Text),
    _required("fingerprint", Text),
    Column("incident", BigInteger),
    _required("opened_at", UtcTime),
    Column("closed_at", UtcTime),
    _required("data", Text),
    Column("seen_at", UtcTime),
    Column("question", Text),
    Index("ix_episodes_question", "question"),
    Index("ix_episodes_fingerprint", "source", "fingerprint", "opened_at"),
    Index("ix_episodes_incident", "incident"),
    Index(
        "ux_episodes_open",
        "source",
        "fingerprint",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)
"""One firing of one alert; at most one is open per alert. `data` has `last_seen` as of the last change."""

groups: Final = Table(
    "groups",
    metadata,
    Column("key", Text, primary_key=True),
    _required("incident", BigInteger),
    _required("last_alert_at", UtcTime),
)

questions: Final = Table(
    "questions",
    metadata,
    Column("id", Text, primary_key=True),
    _required("group_key", Text),
    _required("opened_at", UtcTime),
    Column("incident", BigInteger),
    _required("data", Text),
    Index("ix_questions_group", "group_key", "opened_at"),
    Index("ix_questions_incident", "incident"),
)
"""Alerts about which people are asked first (`bot/domain/questions.py`). `incident` is what came of one, if any."""

watchdogs: Final = Table(
    "watchdogs",
    metadata,
    Column("name", Text, primary_key=True),
    _required("since", UtcTime),
    _required("checked_at", UtcTime),
    Column("seen_at", UtcTime),
    _required("alarmed", Boolean),
)
"""When each watchdog was last heard of (`bot/domain/watchdogs.py`)."""

inbox: Final = Table(
    "inbox",
    metadata,
    Column("command_id", Text, primary_key=True),
    _required("answer", Text),
    _required("at", UtcTime),
    Index("ix_inbox_at", "at"),
)
"""Answers given in the last 72 h, by command id: a repeat gets the same one."""

budgets: Final = Table(
    "budgets",
    metadata,
    Column("name", Text, primary_key=True),
    _required("tokens", Double),
    Column("capacity", Double),
    _required("per_second", Double),
    _required("reserve", Double),
    _required("refilled_at", Double),
    _required("parked_until", Double),
)
"""Rate budgets that all replicas share: token buckets, times in seconds since 1970. No capacity: only parked."""

notices: Final = Table(
    "notices",
    metadata,
    Column("key", Text, primary_key=True),
    _required("data", Text),
    _required("created_at", UtcTime),
)
"""What the house itself has to say (`bot/domain/notices.py`). Each has an effect `notice:<key>` of incident 0."""

overrides: Final = Table(
    "overrides",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _required("schedule", Text),
    _required("user", Text),
    _required("start", UtcTime),
    _required("end", UtcTime),
    _required("by", Text),
    _required("at", UtcTime),
    Column("cancelled_at", UtcTime),
    _required("cancelled_by", Text),
    Index("ix_overrides_end", "end"),
)
"""Who takes over a schedule for a time (`bot/domain/duty.py`)."""

unusable: Final = Table(
    "unusable",
    metadata,
    Column("id", Text, primary_key=True),
    _required("source", Text),
    _required("reason", Text),
    _required("size", BigInteger),
    _required("body", Text),
    _required("times", BigInteger),
    _required("first_at", UtcTime),
    _required("last_at", UtcTime),
    Index("ix_unusable_at", "last_at"),
)
"""Deliveries that nothing could be made of, though their sender is who it says. `body` is Base64, and cut."""

refills: Final = Table(
    "refills",
    metadata,
    Column("incident", BigInteger, primary_key=True, autoincrement=False),
    _required("complete_to", UtcTime),
    _required("seq", BigInteger),
)
"""Up to when (by Slack's clock) the record of each incident's channel is complete, and how long its log was then."""
