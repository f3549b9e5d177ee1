"""asked before opening"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("poll", sa.Column("confirmed_people", sa.Integer(), nullable=True))
    op.add_column("poll", sa.Column("grown_to", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("poll", "grown_to")
    op.drop_column("poll", "confirmed_people")
