"""When an alert was last seen gets a column of its own: the commonest write of all is then a few bytes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Add the column. Rows of the version before keep the time in their JSON only: both are read, the later counts."""
    op.add_column("episodes", sa.Column("seen_at", TIME))


def downgrade() -> None:
    """Drop the column. What was seen since the last change of an episode is forgotten."""
    op.drop_column("episodes", "seen_at")
