"""carrier errors"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


_TAKEN_HAS_SID = (
    "state NOT IN ('accepted', 'sent', 'delivered', 'undelivered') OR message_sid IS NOT NULL"
)


def _taken_has_sid(rule: str) -> None:
    op.drop_constraint(op.f("ck_delivery_taken_has_sid"), "delivery", type_="check")
    op.create_check_constraint("taken_has_sid", "delivery", rule)


def upgrade() -> None:
    op.add_column(
        "delivery",
        sa.Column(
            "decided_as",
            sa.Enum(
                "went",
                "again",
                "drop",
                name="doubtdecision",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=True,
        ),
    )
    op.add_column("delivery", sa.Column("decided_by", sa.Text(), nullable=True))
    op.add_column("delivery", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    _taken_has_sid(f"{_TAKEN_HAS_SID} OR coalesce(decided_as, '') = 'went'")
    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "viewer",
                "editor",
                "admin",
                name="staffrole",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
    )
    op.add_column(
        "alert", sa.Column("told_times", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("poll", sa.Column("pause_reason", sa.Text(), server_default="", nullable=False))
    op.add_column("poll", sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("delivery", sa.Column("retry_of", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_delivery_retry_of_delivery"), "delivery", "delivery", ["retry_of"], ["id"]
    )
    op.create_index(
        "uq_delivery_retry_of",
        "delivery",
        ["retry_of"],
        unique=True,
        postgresql_where=sa.text("retry_of IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_failed",
        "delivery",
        ["poll_id"],
        unique=False,
        postgresql_where=sa.text("purpose = 'ask' AND state IN ('failed', 'undelivered')"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_delivery_failed",
        table_name="delivery",
        postgresql_where=sa.text("purpose = 'ask' AND state IN ('failed', 'undelivered')"),
    )
    op.drop_index(
        "uq_delivery_retry_of",
        table_name="delivery",
        postgresql_where=sa.text("retry_of IS NOT NULL"),
    )
    op.drop_constraint(op.f("fk_delivery_retry_of_delivery"), "delivery", type_="foreignkey")
    op.drop_column("delivery", "retry_of")
    op.drop_column("poll", "resumed_at")
    op.drop_column("poll", "pause_reason")
    # What staff said went, and no receipt confirmed, cannot be told without its sid.
    op.execute(
        "UPDATE delivery SET state = 'failed', reason = 'staff: it went' "
        "WHERE state = 'accepted' AND message_sid IS NULL"
    )
    _taken_has_sid(_TAKEN_HAS_SID)
    op.drop_column("delivery", "decided_at")
    op.drop_column("delivery", "decided_by")
    op.drop_column("delivery", "decided_as")
    op.drop_column("alert", "told_times")
    op.drop_table("staff")
