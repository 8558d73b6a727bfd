"""What the house itself has to say, and deliveries that nothing could be made of.

Two new tables: code before this revision does not know them and is not disturbed by them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# RFC 3339 text, compared by bytes on PostgreSQL whatever the database's collation.
TIME = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "notices",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "unusable",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("first_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
    )
    op.create_index("ix_unusable_at", "unusable", ["last_at"])


def downgrade() -> None:
    """Drop both, and the notices' rows in the queue, which the code before could not read."""
    op.execute("DELETE FROM effects WHERE incident = 0")
    op.drop_table("unusable")
    op.drop_table("notices")
