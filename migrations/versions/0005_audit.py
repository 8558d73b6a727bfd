"""The audit trail: every change that somebody asked for, and every one that was denied.

A new table: code before this revision does not know it and is not disturbed by it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# RFC 3339 text, compared by bytes on PostgreSQL whatever the database's collation.
TIME = sa.Text(collation="C").with_variant(sa.Text(), "sqlite")
POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "audit",
        sa.Column("pos", POSITION, primary_key=True, autoincrement=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("incident", sa.BigInteger()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_index("ix_audit_incident", "audit", ["incident", "pos"])
    op.create_index("ix_audit_at", "audit", ["at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("audit")
