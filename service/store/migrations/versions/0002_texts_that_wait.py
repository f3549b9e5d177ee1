"""texts that wait"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "inbound_text",
        sa.Column(
            "waiting",
            sa.Enum(
                "review",
                "hold",
                name="waiting",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=True,
        ),
    )
    op.add_column(
        "inbound_text", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("inbound_text", sa.Column("settled_by", sa.Text(), nullable=True))
    op.create_index(
        "ix_inbound_text_waiting",
        "inbound_text",
        ["subscriber_id", "id"],
        unique=False,
        postgresql_where=sa.text("waiting IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_inbound_text_waiting",
        table_name="inbound_text",
        postgresql_where=sa.text("waiting IS NOT NULL"),
    )
    op.drop_column("inbound_text", "settled_by")
    op.drop_column("inbound_text", "settled_at")
    op.drop_column("inbound_text", "waiting")
