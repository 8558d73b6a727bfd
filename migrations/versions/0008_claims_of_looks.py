"""A look for what an attempt left whose answer never came: the claim under which it was made tells it from copies."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. What the version before owes knows where it placed its message, and needs none."""
    op.add_column("looks", sa.Column("claim", sa.Text()))


def downgrade() -> None:
    """Drop the column, and the looks that need it: without it nobody knows what they are about."""
    op.execute("DELETE FROM looks WHERE ts = ''")
    op.drop_column("looks", "claim")
