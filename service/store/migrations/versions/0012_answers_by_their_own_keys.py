"""answers by their own keys: one index less to keep for each answer, and for each step of its history"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The strongest lock first: from a weaker one to it, a batch of texts and this wait for each other.
    op.drop_constraint(op.f("pk_answer"), "answer", type_="primary")
    op.drop_constraint(op.f("pk_answer_change"), "answer_change", type_="primary")
    op.drop_constraint(op.f("uq_answer_question_id_subscriber_id"), "answer", type_="unique")
    op.drop_column("answer", "id")
    op.create_primary_key(op.f("pk_answer"), "answer", ["question_id", "subscriber_id"])
    op.drop_index("ix_answer_change_answer", table_name="answer_change")
    op.create_primary_key(
        op.f("pk_answer_change"), "answer_change", ["question_id", "subscriber_id", "id"]
    )


def downgrade() -> None:
    op.drop_constraint(op.f("pk_answer_change"), "answer_change", type_="primary")
    op.create_primary_key(op.f("pk_answer_change"), "answer_change", ["id"])
    op.create_index(
        "ix_answer_change_answer", "answer_change", ["question_id", "subscriber_id", "id"]
    )
    op.drop_constraint(op.f("pk_answer"), "answer", type_="primary")
    op.create_unique_constraint(
        op.f("uq_answer_question_id_subscriber_id"), "answer", ["question_id", "subscriber_id"]
    )
    op.add_column("answer", sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False))
    op.create_primary_key(op.f("pk_answer"), "answer", ["id"])
