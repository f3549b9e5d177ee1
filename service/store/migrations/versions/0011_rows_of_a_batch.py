"""rows of a batch: the types in which received texts and what came of them are written at once"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TYPES = {
    "given_text": """
        message_sid text, program_id bigint, subscriber_id bigint, question_id bigint,
        number_key bytea, number text, to_number text, body text, media_count integer,
        label text, rule text, outcome varchar, received_at timestamptz, waiting varchar
    """,
    "given_reply": """
        inbound_sid text, poll_id bigint, question_id bigint, purpose varchar, body text,
        segments integer, state varchar
    """,
    "given_answer": """
        question_id bigint, subscriber_id bigint, choice_id bigint, number numeric, text text,
        comment text, answered_at timestamptz
    """,
    "given_change": "message_sid text, question_id bigint, value text, void boolean",
}


def upgrade() -> None:
    for name, columns in _TYPES.items():
        op.execute(f"CREATE TYPE {name} AS ({columns})")


def downgrade() -> None:
    for name in _TYPES:
        op.execute(f"DROP TYPE {name}")
