"""Overrides of on-call: who takes over a schedule for a time, whoever's turn it is.

A new table: code before this revision does not know it and is not disturbed by it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# RFC 3339 text, compared by bytes on PostgreSQL whatever the database's collation.
TIME = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "overrides",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("schedule", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("start", TIME, nullable=False),
        sa.Column("end", TIME, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("cancelled_at", TIME),
        sa.Column("cancelled_by", sa.Text(), nullable=False),
    )
    op.create_index("ix_overrides_end", "overrides", ["end"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("overrides")
