"""Up to when the record of each incident's channel is complete.

A new table: code before this revision neither reads nor writes it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# RFC 3339 text, compared by bytes on PostgreSQL whatever the database's collation.
TIME = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "refills",
        sa.Column("incident", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("complete_to", TIME, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Drop it: the next look at each channel goes back to its beginning."""
    op.drop_table("refills")
