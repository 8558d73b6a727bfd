"""A delivery that gave up says in its row what mends it: what belongs to no incident has no timeline to say it on.

Code before this revision leaves the column as it is: no mend is known then.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("effects", sa.Column("mend", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it. Timelines have the mends of incidents all the same."""
    op.drop_column("effects", "mend")
