"""Each incident's row says how far its record stream was when it last changed: a tail cut off later shows. And the
installation's, of which shape the snapshots are.

Two columns with defaults that are always true (of nothing recorded yet), and one that may be empty: code before this
revision leaves them as they are, and so says nothing wrong.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them. The first two say where the record streams are now."""
    op.add_column("installation", sa.Column("snapshots", sa.Text()))
    op.add_column("incidents", sa.Column("record_seq", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("incidents", sa.Column("record_hash", sa.Text(), nullable=False, server_default=""))
    head = "FROM record_heads WHERE record_heads.incident = incidents.number"
    op.execute(
        f"UPDATE incidents SET record_seq = (SELECT seq {head}), record_hash = (SELECT hash {head})"  # noqa: S608
        f" WHERE EXISTS (SELECT 1 {head})"
    )


def downgrade() -> None:
    """Drop them. The streams and their heads stay as they are."""
    op.drop_column("incidents", "record_hash")
    op.drop_column("incidents", "record_seq")
    op.drop_column("installation", "snapshots")
