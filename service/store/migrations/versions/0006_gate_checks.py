"""gate checks"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _index_asked(column: str, purposes: str) -> None:
    op.drop_index("ix_delivery_asked", table_name="delivery")
    op.create_index(
        "ix_delivery_asked",
        "delivery",
        ["subscriber_id", column],
        unique=False,
        postgresql_where=sa.text(f"purpose IN ({purposes})"),
    )


def upgrade() -> None:
    op.add_column("delivery", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("delivery", sa.Column("checks", sa.Text(), nullable=True))
    _index_asked("handed_at", "'ask', 'follow_up', 'reminder', 'results'")


def downgrade() -> None:
    _index_asked("id", "'ask', 'follow_up'")
    op.drop_column("delivery", "checks")
    op.drop_column("delivery", "checked_at")
