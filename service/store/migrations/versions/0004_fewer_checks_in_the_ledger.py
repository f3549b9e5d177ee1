"""fewer checks in the ledger"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_DROPPED = (
    ("answer", "question"),
    ("answer", "choice"),
    ("answer_change", "subscriber"),
    ("answer_change", "question"),
    ("delivery", "question"),
    ("delivery", "poll"),
    ("delivery", "program"),
    ("inbound_text", "program"),
    ("inbound_text", "question"),
    ("receipt", "delivery"),
)


def upgrade() -> None:
    for table, target in _DROPPED:
        name = op.f(f"fk_{table}_{target}_id_{target}")
        op.drop_constraint(name, table, type_="foreignkey")


def downgrade() -> None:
    for table, target in _DROPPED:
        name = op.f(f"fk_{table}_{target}_id_{target}")
        op.create_foreign_key(name, table, target, [f"{target}_id"], ["id"])
