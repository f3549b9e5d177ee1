"""Alembic's environment: always on a connection handed in, never on an address of its own."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel

import service.store.tables  # noqa: F401  (fills the metadata)


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Plain SQLAlchemy types in the migration files, so they never import our code."""
    if kind == "type" and type(item).__name__ == "Instant":
        return "sa.DateTime(timezone=True)"
    if kind == "type" and type(item).__name__ == "AutoString":
        return "sa.Text()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    compare_type=True,
    compare_server_default=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
