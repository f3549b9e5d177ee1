"""The schema's history. ``upgrade`` brings a database to head; ``is_at_head`` tells."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncEngine


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, bound to ``connection`` where one is given."""
    result = Config()
    result.set_main_option("script_location", str(Path(__file__).parent))
    result.set_main_option("path_separator", "os")
    result.attributes["connection"] = connection
    return result


async def upgrade(engine: AsyncEngine) -> str:
    """Bring the schema to head; several processes may try at once. Returns the revision."""

    def run(connection: Connection) -> str:
        command.upgrade(config(connection), "head")
        return _current(connection) or ""

    async with engine.begin() as connection:
        return await connection.run_sync(run)


async def is_at_head(engine: AsyncEngine) -> bool:
    """Whether the database has exactly this code's schema."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    async with engine.connect() as connection:
        return await connection.run_sync(_current) == head


async def has_tables(engine: AsyncEngine) -> bool:
    """Whether anything is in the database."""
    async with engine.connect() as connection:
        return bool(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


@cache
def serves(revision: str | None) -> bool:
    """Whether this code can work on a database at ``revision``.

    Head is right; so is one this code does not know yet, for migrations only add at first: while
    a new version is rolled out, processes of the old one stay ready.
    """
    script = ScriptDirectory.from_config(config())
    behind = {known.revision for known in script.walk_revisions()} - {script.get_current_head()}
    return revision is not None and revision not in behind


def knows(revision: str | None) -> bool:
    """Whether ``revision`` is one of this code's."""
    script = ScriptDirectory.from_config(config())
    return revision in {known.revision for known in script.walk_revisions()}


async def current(engine: AsyncEngine) -> str | None:
    """The revision the database is at; ``None`` for an empty one."""
    async with engine.connect() as connection:
        return await connection.run_sync(_current)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
