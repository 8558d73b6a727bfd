"""Who worked here is kept no more: nobody wrote it, and leases say who holds what.

Code before this revision neither reads nor writes the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# RFC 3339 text, compared by bytes on PostgreSQL whatever the database's collation.
TIME = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Drop it."""
    op.drop_table("replicas")


def downgrade() -> None:
    """Make it again, empty as it was."""
    op.create_table(
        "replicas",
        sa.Column("worker", sa.Text(), primary_key=True),
        sa.Column("seen_at", TIME, nullable=False),
    )
