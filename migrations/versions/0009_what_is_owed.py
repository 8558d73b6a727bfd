"""An index of what is over and still owes something: action items, or a postmortem.

It is made of what the rows hold anyway, so code before this revision keeps it right without knowing it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OWING = (
    "NOT active AND status <> 'cancelled' AND ({find}(state, '\"done\"\\:false') > 0 "
    "OR (status = 'resolved' AND {find}(state, '\"postmortem_due\"\\:null') = 0))"
)


def upgrade() -> None:
    """Make it."""
    op.create_index(
        "ix_incidents_owing",
        "incidents",
        ["number"],
        sqlite_where=sa.text(OWING.format(find="instr")),
        postgresql_where=sa.text(OWING.format(find="strpos")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_incidents_owing", "incidents")
