"""first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "ready",
                "running",
                "done",
                "dead",
                name="jobstate",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("name", "key", name=op.f("uq_job_name_key")),
    )
    op.create_index(
        "ix_job_due",
        "job",
        ["run_at", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('ready', 'running')"),
    )
    op.create_table(
        "opt_out",
        sa.Column("number_key", sa.LargeBinary(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number_key", name=op.f("pk_opt_out")),
    )
    op.create_table(
        "program",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organization", sa.Text(), nullable=False),
        sa.Column("respondents", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("messaging_service_sid", sa.Text(), nullable=True),
        sa.Column(
            "opt_out_mode",
            sa.Enum(
                "app",
                "twilio_default",
                "advanced",
                name="optoutmode",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("help_contact", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("quiet_hours", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=True),
        sa.Column("monthly_texts", sa.Integer(), nullable=False),
        sa.Column("send_rate", sa.Integer(), nullable=False),
        sa.Column("late_limit_minutes", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("late_limit_minutes >= 0", name=op.f("ck_program_late_limit_minutes")),
        sa.CheckConstraint("monthly_texts > 0", name=op.f("ck_program_monthly_texts")),
        sa.CheckConstraint("send_rate > 0", name=op.f("ck_program_send_rate")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program")),
        sa.UniqueConstraint("messaging_service_sid", name=op.f("uq_program_messaging_service_sid")),
        sa.UniqueConstraint("sender", name=op.f("uq_program_sender")),
        sa.UniqueConstraint("slug", name=op.f("uq_program_slug")),
    )
    op.create_table(
        "rate_slot",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_rate_slot")),
    )
    op.create_table(
        "consent_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number_key", sa.LargeBinary(), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "opt_in",
                "confirmation",
                "opt_out",
                "hold",
                "release",
                "suspension",
                "rejoin",
                "erasure",
                name="consenteventkind",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("wording_hash", sa.Text(), nullable=False),
        sa.Column("raw_words", sa.Text(), nullable=False),
        sa.Column("message_sid", sa.Text(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"], ["program.id"], name=op.f("fk_consent_event_program_id_program")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_event")),
    )
    op.create_index(
        "ix_consent_event_number_key", "consent_event", ["number_key", "id"], unique=False
    )
    op.create_table(
        "keyword",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"], ["program.id"], name=op.f("fk_keyword_program_id_program")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keyword")),
        sa.UniqueConstraint("program_id", "word", name=op.f("uq_keyword_program_id_word")),
    )
    op.create_table(
        "poll",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "scheduled",
                "open",
                "paused",
                "closed",
                "published",
                "cancelled",
                name="pollstate",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("audience", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("results_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("audience_limit_id", sa.BigInteger(), nullable=True),
        sa.Column("fan_out_after_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fan_out_done", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'cancelled') OR (opens_at IS NOT NULL AND closes_at IS NOT NULL)",
            name=op.f("ck_poll_dated"),
        ),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("ck_poll_span")),
        sa.ForeignKeyConstraint(
            ["program_id"], ["program.id"], name=op.f("fk_poll_program_id_program")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_poll")),
        sa.UniqueConstraint("slug", name=op.f("uq_poll_slug")),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("number_key", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "active",
                "opted_out",
                "suspended",
                name="subscriberstate",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("hold", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("review", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column(
            "attributes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"], ["program.id"], name=op.f("fk_subscriber_program_id_program")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint(
            "program_id", "number_key", name=op.f("uq_subscriber_program_id_number_key")
        ),
    )
    op.create_index(
        "ix_subscriber_audience",
        "subscriber",
        ["program_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index("ix_subscriber_number_key", "subscriber", ["number_key"], unique=False)
    op.create_table(
        "publication",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("poll_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("results", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name=op.f("fk_publication_poll_id_poll")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sa.UniqueConstraint("poll_id", "version", name=op.f("uq_publication_poll_id_version")),
    )
    op.create_table(
        "question",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("poll_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "yes_no",
                "choice",
                "number",
                "open",
                name="questionkind",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("when_labels", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("minimum", sa.Numeric(), nullable=True),
        sa.Column("maximum", sa.Numeric(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("rendered", sa.Text(), nullable=False),
        sa.CheckConstraint("position BETWEEN 1 AND 3", name=op.f("ck_question_position")),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name=op.f("fk_question_poll_id_poll")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sa.UniqueConstraint("poll_id", "position", name=op.f("uq_question_poll_id_position")),
    )
    op.create_table(
        "answer_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("message_sid", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_answer_change_question_id_question")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_answer_change_subscriber_id_subscriber"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_change")),
    )
    op.create_index(
        "ix_answer_change_answer",
        "answer_change",
        ["question_id", "subscriber_id", "id"],
        unique=False,
    )
    op.create_table(
        "choice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("aliases", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("applicable", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_choice_question_id_question")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_choice")),
        sa.UniqueConstraint("question_id", "label", name=op.f("uq_choice_question_id_label")),
        sa.UniqueConstraint("question_id", "letter", name=op.f("uq_choice_question_id_letter")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("poll_id", sa.BigInteger(), nullable=True),
        sa.Column("question_id", sa.BigInteger(), nullable=True),
        sa.Column("number_key", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "ask",
                "follow_up",
                "confirmation",
                "double_opt_in",
                "already_in",
                "help",
                "stopped",
                "unknown",
                "counted",
                "changed",
                "unclear",
                "late",
                "closed",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "ready",
                "deferred",
                "leased",
                "handed",
                "accepted",
                "sent",
                "delivered",
                "undelivered",
                "failed",
                "in_doubt",
                "cancelled",
                name="deliverystate",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("inbound_sid", sa.Text(), nullable=True),
        sa.Column("message_sid", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state NOT IN ('accepted', 'sent', 'delivered', 'undelivered') OR message_sid IS NOT NULL",
            name=op.f("ck_delivery_taken_has_sid"),
        ),
        sa.CheckConstraint("segments > 0", name=op.f("ck_delivery_segments")),
        sa.ForeignKeyConstraint(["poll_id"], ["poll.id"], name=op.f("fk_delivery_poll_id_poll")),
        sa.ForeignKeyConstraint(
            ["program_id"], ["program.id"], name=op.f("fk_delivery_program_id_program")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_delivery_question_id_question")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_delivery_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_delivery_dedupe_key")),
        sa.UniqueConstraint("message_sid", name=op.f("uq_delivery_message_sid")),
    )
    op.create_index(
        "ix_delivery_asked",
        "delivery",
        ["subscriber_id", "id"],
        unique=False,
        postgresql_where=sa.text("purpose IN ('ask', 'follow_up')"),
    )
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["not_before", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('ready', 'deferred')"),
    )
    op.create_index(
        "ix_delivery_poll",
        "delivery",
        ["poll_id"],
        unique=False,
        postgresql_where=sa.text("purpose = 'ask'"),
    )
    op.create_index(
        "ix_delivery_replies",
        "delivery",
        ["number_key", "created_at"],
        unique=False,
        postgresql_where=sa.text("inbound_sid IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_unsettled",
        "delivery",
        ["state", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('leased', 'handed', 'in_doubt')"),
    )
    op.create_table(
        "inbound_text",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("message_sid", sa.Text(), nullable=False),
        sa.Column("program_id", sa.BigInteger(), nullable=True),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=True),
        sa.Column("question_id", sa.BigInteger(), nullable=True),
        sa.Column("number_key", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("to_number", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("media_count", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "counted",
                "unclear",
                "late",
                "opted_out",
                "ignored",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=True,
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("response_body", sa.Text(), nullable=True),
        sa.Column("response_delivery_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["program_id"], ["program.id"], name=op.f("fk_inbound_text_program_id_program")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_inbound_text_question_id_question")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name=op.f("fk_inbound_text_subscriber_id_subscriber"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_text")),
        sa.UniqueConstraint("message_sid", name=op.f("uq_inbound_text_message_sid")),
    )
    op.create_index(
        "ix_inbound_text_number_key", "inbound_text", ["number_key", "id"], unique=False
    )
    op.create_index(
        "ix_inbound_text_reply",
        "inbound_text",
        ["question_id", "subscriber_id"],
        unique=False,
        postgresql_where=sa.text("question_id IS NOT NULL"),
    )
    op.create_table(
        "answer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.Column("choice_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Numeric(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("void", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(choice_id, number, text) = 1", name=op.f("ck_answer_one_value")
        ),
        sa.ForeignKeyConstraint(
            ["choice_id"], ["choice.id"], name=op.f("fk_answer_choice_id_choice")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_answer_question_id_question")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_answer_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sa.UniqueConstraint(
            "question_id", "subscriber_id", name=op.f("uq_answer_question_id_subscriber_id")
        ),
    )
    op.create_table(
        "receipt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("message_sid", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_receipt_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("message_sid", "status", name=op.f("uq_receipt_message_sid_status")),
    )


def downgrade() -> None:
    op.drop_table("receipt")
    op.drop_table("answer")
    op.drop_index(
        "ix_inbound_text_reply",
        table_name="inbound_text",
        postgresql_where=sa.text("question_id IS NOT NULL"),
    )
    op.drop_index("ix_inbound_text_number_key", table_name="inbound_text")
    op.drop_table("inbound_text")
    op.drop_index(
        "ix_delivery_unsettled",
        table_name="delivery",
        postgresql_where=sa.text("state IN ('leased', 'handed', 'in_doubt')"),
    )
    op.drop_index(
        "ix_delivery_replies",
        table_name="delivery",
        postgresql_where=sa.text("inbound_sid IS NOT NULL"),
    )
    op.drop_index(
        "ix_delivery_poll", table_name="delivery", postgresql_where=sa.text("purpose = 'ask'")
    )
    op.drop_index(
        "ix_delivery_due",
        table_name="delivery",
        postgresql_where=sa.text("state IN ('ready', 'deferred')"),
    )
    op.drop_index(
        "ix_delivery_asked",
        table_name="delivery",
        postgresql_where=sa.text("purpose IN ('ask', 'follow_up')"),
    )
    op.drop_table("delivery")
    op.drop_table("choice")
    op.drop_index("ix_answer_change_answer", table_name="answer_change")
    op.drop_table("answer_change")
    op.drop_table("question")
    op.drop_table("publication")
    op.drop_index("ix_subscriber_number_key", table_name="subscriber")
    op.drop_index(
        "ix_subscriber_audience",
        table_name="subscriber",
        postgresql_where=sa.text("state = 'active'"),
    )
    op.drop_table("subscriber")
    op.drop_table("poll")
    op.drop_table("keyword")
    op.drop_index("ix_consent_event_number_key", table_name="consent_event")
    op.drop_table("consent_event")
    op.drop_table("rate_slot")
    op.drop_table("program")
    op.drop_table("opt_out")
    op.drop_index(
        "ix_job_due", table_name="job", postgresql_where=sa.text("state IN ('ready', 'running')")
    )
    op.drop_table("job")
    op.drop_table("installation")
