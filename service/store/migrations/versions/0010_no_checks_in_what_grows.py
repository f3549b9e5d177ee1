"""no checks in what grows"""

from alembic import op
from sqlalchemy import text

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_DROPPED = (
    ("answer", "subscriber_id", "subscriber"),
    ("delivery", "subscriber_id", "subscriber"),
    ("delivery", "retry_of", "delivery"),
    ("inbound_text", "subscriber_id", "subscriber"),
)


def upgrade() -> None:
    # First what takes long and lets others read; then what keeps everybody out, at once.
    op.create_index(
        "ix_new",
        "delivery",
        ["message_sid"],
        unique=True,
        postgresql_where=text("message_sid IS NOT NULL"),
    )
    op.drop_constraint(op.f("uq_delivery_message_sid"), "delivery", type_="unique")
    op.execute("ALTER INDEX ix_new RENAME TO uq_delivery_message_sid")
    for table, column, target in _DROPPED:
        name = op.f(f"fk_{table}_{column}_{target}")
        op.drop_constraint(name, table, type_="foreignkey")


def downgrade() -> None:
    op.drop_index("uq_delivery_message_sid", table_name="delivery")
    op.create_unique_constraint(op.f("uq_delivery_message_sid"), "delivery", ["message_sid"])
    for table, column, target in _DROPPED:
        name = op.f(f"fk_{table}_{column}_{target}")
        op.create_foreign_key(name, table, target, [column], ["id"])
