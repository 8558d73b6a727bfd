"""Looks for late copies that are owed: whoever is there looks, should the process that repeated be gone."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# RFC 3339 text, compared by bytes on PostgreSQL whatever the database's collation.
TIME = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")
POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "looks",
        sa.Column("pos", POSITION, primary_key=True, autoincrement=True),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("incident", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("lost", sa.Boolean(), nullable=False),
        sa.Column("taken_until", sa.Double()),
    )
    op.create_index("ix_looks_due", "looks", ["due"])


def downgrade() -> None:
    """Drop it: what is owed is a net, not a record."""
    op.drop_table("looks")
