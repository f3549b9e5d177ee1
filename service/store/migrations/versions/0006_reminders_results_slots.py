"""reminders, results texts, slots"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("poll", sa.Column("confirmed_people", sa.Integer(), nullable=True))
    op.add_column("poll", sa.Column("grown_to", sa.Integer(), nullable=True))
    op.add_column("poll", sa.Column("reminder_after_hours", sa.Integer(), nullable=True))
    op.add_column(
        "poll", sa.Column("results_text", sa.Boolean(), server_default="false", nullable=False)
    )
    op.create_table(
        "broadcast",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("poll_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("texts", postgresql.JSONB(), nullable=False),
        sa.Column("after_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('reminder', 'results')", name=op.f("ck_broadcast_purpose")),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name=op.f("fk_broadcast_poll_id_poll")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast")),
        sa.UniqueConstraint("poll_id", "purpose", name=op.f("uq_broadcast_poll_id_purpose")),
    )
    op.create_index(
        "ix_delivery_reminder",
        "delivery",
        ["poll_id"],
        unique=False,
        postgresql_where=sa.text("purpose = 'reminder'"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_delivery_reminder",
        table_name="delivery",
        postgresql_where=sa.text("purpose = 'reminder'"),
    )
    op.drop_table("broadcast")
    op.drop_column("poll", "results_text")
    op.drop_column("poll", "reminder_after_hours")
    op.drop_column("poll", "grown_to")
    op.drop_column("poll", "confirmed_people")
