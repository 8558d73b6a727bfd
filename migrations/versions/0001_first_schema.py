"""The first schema: two hash-chained streams per incident, their words apart, and the queues beside them.

Written out, not taken from bot.storage.tables: a migration must go on doing what it did. A test compares the two.
"""

import secrets
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# RFC 3339 text, compared by bytes on PostgreSQL whatever the database's collation.
TIME = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")
POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = (
    "installation",
    "counter",
    "incidents",
    "record_heads",
    "events",
    "records",
    "contents",
    "effects",
    "timers",
    "episodes",
    "groups",
    "inbox",
    "budgets",
    "replicas",
)


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Create every table, and the two rows that each installation has."""
    op.create_table(
        "installation",
        sa.Column("one", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "incidents",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("declared_at", TIME, nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("acknowledged_at", TIME),
        sa.Column("channel", sa.Text(), unique=True),
    )
    op.create_index("ix_incidents_active", "incidents", ["number"], **_where("active"))
    op.create_index("ix_incidents_declarer", "incidents", ["declared_by", "declared_at"])
    op.create_table(
        "record_heads",
        sa.Column("incident", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("incident", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("v", sa.Integer(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    op.create_table(
        "records",
        sa.Column("incident", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    op.create_index("ux_records_key", "records", ["incident", "key"], unique=True)
    op.create_table(
        "contents",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_table(
        "effects",
        sa.Column("pos", POSITION, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False, unique=True),
        sa.Column("incident", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text()),
        sa.Column("show_key", sa.Text()),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("not_before", TIME),
        sa.Column("first_at", TIME),
        sa.Column("ended_at", TIME),
        sa.Column("token", sa.Text()),
        sa.Column("worker", sa.Text()),
        sa.Column("lease_until", sa.Double()),
        sa.Column("error", sa.Text(), nullable=False),
    )
    op.create_index("ix_effects_failed", "effects", ["incident"], **_where("state = 'failed'"))
    op.create_index("ix_effects_incident", "effects", ["incident", "pos"])
    op.create_index("ix_effects_lane", "effects", ["lane", "pos"], **_where("state IN ('waiting', 'held', 'claimed')"))
    op.create_index("ix_effects_queue", "effects", ["rank", "pos"], **_where("state IN ('waiting', 'held', 'claimed')"))
    op.create_index(
        "ux_effects_show",
        "effects",
        ["incident", "show_key"],
        unique=True,
        **_where("state = 'waiting' AND show_key IS NOT NULL"),
    )
    op.create_table(
        "timers",
        sa.Column("pos", POSITION, primary_key=True, autoincrement=True),
        sa.Column("incident", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("late_by", sa.Double(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
    )
    op.create_index("ix_timers_due", "timers", ["due"], **_where("state = 'armed'"))
    op.create_index("ix_timers_incident", "timers", ["incident"])
    op.create_index("ux_timers_armed", "timers", ["incident", "kind"], unique=True, **_where("state = 'armed'"))
    op.create_table(
        "episodes",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("incident", sa.BigInteger()),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("data", sa.Text(), nullable=False),
    )
    op.create_index("ix_episodes_fingerprint", "episodes", ["source", "fingerprint", "opened_at"])
    op.create_index("ix_episodes_incident", "episodes", ["incident"])
    op.create_index(
        "ux_episodes_open", "episodes", ["source", "fingerprint"], unique=True, **_where("closed_at IS NULL")
    )
    op.create_table(
        "groups",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("incident", sa.BigInteger(), nullable=False),
        sa.Column("last_alert_at", TIME, nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("command_id", sa.Text(), primary_key=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
    )
    op.create_index("ix_inbox_at", "inbox", ["at"])
    op.create_table(
        "budgets",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("tokens", sa.Double(), nullable=False),
        sa.Column("capacity", sa.Double()),
        sa.Column("per_second", sa.Double(), nullable=False),
        sa.Column("reserve", sa.Double(), nullable=False),
        sa.Column("refilled_at", sa.Double(), nullable=False),
        sa.Column("parked_until", sa.Double(), nullable=False),
    )
    op.create_table(
        "replicas",
        sa.Column("worker", sa.Text(), primary_key=True),
        sa.Column("seen_at", TIME, nullable=False),
    )
    counter = sa.table("counter", sa.column("name"), sa.column("value"))
    op.execute(counter.insert().values(name="incident", value=0))
    installation = sa.table("installation", sa.column("one"), sa.column("id"), sa.column("created_at"))
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    op.execute(installation.insert().values(one=1, id=secrets.token_hex(8), created_at=made))


def downgrade() -> None:
    """Drop everything. What was recorded is gone: make a backup first."""
    for name in reversed(TABLES):
        op.drop_table(name)
