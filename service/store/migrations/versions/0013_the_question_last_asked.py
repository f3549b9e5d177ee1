"""the question last asked: found by its index alone, without a sort for every text that comes in"""

from alembic import op
from sqlalchemy import text

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_QUESTIONS = "purpose IN ('ask', 'follow_up', 'reminder', 'results')"


def upgrade() -> None:
    _replace("subscriber_id", "handed_at", "id")


def downgrade() -> None:
    _replace("subscriber_id", "handed_at")


def _replace(*columns: str) -> None:
    # Dropping takes the strongest lock, so it comes first: see 0012.
    op.drop_index("ix_delivery_asked", table_name="delivery")
    op.create_index(
        "ix_delivery_asked", "delivery", list(columns), postgresql_where=text(_QUESTIONS)
    )
