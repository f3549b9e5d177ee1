"""alerts"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_PURPOSES = (
    *("ask", "follow_up", "confirmation", "double_opt_in", "already_in", "help", "stopped"),
    *("unknown", "counted", "changed", "unclear", "late", "closed"),
)
_ADDED = ("reminder", "results", "alert")


def _allow_purposes(names: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_delivery_purpose"), "delivery", type_="check")
    listed = ", ".join(f"'{name}'" for name in names)
    op.create_check_constraint("purpose", "delivery", f"purpose IN ({listed})")


def upgrade() -> None:
    _allow_purposes((*_PURPOSES, *_ADDED))
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "late_poll",
                "empty_slot",
                "auto_pause",
                "in_doubt",
                "holds_lapsing",
                "carrier_refusal",
                name="alertkind",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=True),
        sa.Column("poll_id", sa.BigInteger(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name=op.f("fk_alert_poll_id_poll")),
        sa.ForeignKeyConstraint(
            ["program_id"], ["program.id"], name=op.f("fk_alert_program_id_program")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(
        "uq_alert_open",
        "alert",
        ["kind", "key"],
        unique=True,
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_alert_open", table_name="alert", postgresql_where=sa.text("acknowledged_at IS NULL")
    )
    op.drop_table("alert")
    _allow_purposes(_PURPOSES)
