"""reminders, results texts, slots"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
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
    _add_slots()


def _add_slots() -> None:
    for name, default in (("open", "72"), ("lead", "24")):
        column = f"slot_{name}_hours"
        op.add_column(
            "program", sa.Column(column, sa.Integer(), server_default=default, nullable=False)
        )
        op.create_check_constraint(column, "program", f"{column} BETWEEN 1 AND 167")
    op.add_column("program", sa.Column("slot_set_by", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "slot_occurrence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("local_time", sa.Time(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "filled",
                "empty",
                "skipped",
                name="occurrencestate",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("poll_id", sa.BigInteger(), nullable=True),
        sa.Column("warned_hours", sa.Integer(), nullable=True),
        sa.Column("refusal", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(state = 'filled') = (poll_id IS NOT NULL)", name=op.f("ck_slot_occurrence_filled")
        ),
        sa.ForeignKeyConstraint(
            ["poll_id"], ["poll.id"], name=op.f("fk_slot_occurrence_poll_id_poll")
        ),
        sa.ForeignKeyConstraint(
            ["program_id"], ["program.id"], name=op.f("fk_slot_occurrence_program_id_program")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_occurrence")),
        sa.UniqueConstraint("program_id", "day", name=op.f("uq_slot_occurrence_program_id_day")),
    )
    op.create_table(
        "slot_skip",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("skipped_by", sa.Text(), nullable=False),
        sa.Column("skipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"], ["program.id"], name=op.f("fk_slot_skip_program_id_program")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_skip")),
        sa.UniqueConstraint("program_id", "day", name=op.f("uq_slot_skip_program_id_day")),
    )
    op.create_table(
        "queued_draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("poll_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["poll_id"], ["poll.id"], name=op.f("fk_queued_draft_poll_id_poll")
        ),
        sa.ForeignKeyConstraint(
            ["program_id"], ["program.id"], name=op.f("fk_queued_draft_program_id_program")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queued_draft")),
        sa.UniqueConstraint("poll_id", name=op.f("uq_queued_draft_poll_id")),
    )
    op.create_index(
        "ix_queued_draft_program", "queued_draft", ["program_id", "position"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_queued_draft_program", table_name="queued_draft")
    for table in ("queued_draft", "slot_skip", "slot_occurrence"):
        op.drop_table(table)
    op.drop_column("program", "slot_set_by")
    for name in ("lead", "open"):
        op.drop_constraint(op.f(f"ck_program_slot_{name}_hours"), "program", type_="check")
        op.drop_column("program", f"slot_{name}_hours")
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
