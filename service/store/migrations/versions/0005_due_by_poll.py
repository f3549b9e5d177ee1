"""due by poll"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WAITING = sa.text("state IN ('ready', 'deferred')")
_FIRST = sa.text(
    "state IN ('ready', 'deferred') AND (poll_id IS NULL OR inbound_sid IS NOT NULL)"
)


def upgrade() -> None:
    op.drop_index("ix_delivery_due", table_name="delivery")
    op.create_index(
        "ix_delivery_due", "delivery", ["poll_id", "not_before", "id"], postgresql_where=_WAITING
    )
    op.create_index(
        "ix_delivery_due_first",
        "delivery",
        ["program_id", "not_before", "id"],
        postgresql_where=_FIRST,
    )


def downgrade() -> None:
    op.drop_index("ix_delivery_due_first", table_name="delivery")
    op.drop_index("ix_delivery_due", table_name="delivery")
    op.create_index(
        "ix_delivery_due", "delivery", ["not_before", "id"], postgresql_where=_WAITING
    )
