"""Questions about alerts, and watchdogs.

New tables, and a column that may be empty: code before this revision neither reads nor writes them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# RFC 3339 text, compared by bytes on PostgreSQL whatever the database's collation.
TIME = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "questions",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("incident", sa.BigInteger()),
        sa.Column("data", sa.Text(), nullable=False),
    )
    op.create_index("ix_questions_group", "questions", ["group_key", "opened_at"])
    op.create_index("ix_questions_incident", "questions", ["incident"])
    op.create_table(
        "watchdogs",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("since", TIME, nullable=False),
        sa.Column("checked_at", TIME, nullable=False),
        sa.Column("seen_at", TIME),
        sa.Column("alarmed", sa.Boolean(), nullable=False),
    )
    op.add_column("episodes", sa.Column("question", sa.Text()))
    op.create_index("ix_episodes_question", "episodes", ["question"])


def downgrade() -> None:
    """Drop them. Alerts about which nobody had decided yet are on record without an incident, as ignored ones are."""
    op.drop_index("ix_episodes_question", "episodes")
    op.drop_column("episodes", "question")
    op.drop_table("watchdogs")
    op.drop_table("questions")
