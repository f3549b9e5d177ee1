"""The schema's history. ``upgrade`` brings a database to head; ``is_at_head`` tells."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.errors import RefusedError

_ONE_AT_A_TIME = text(f"SELECT pg_advisory_xact_lock({0x706F6C6C})")
"""One migrator at a time."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, bound to ``connection`` where one is given."""
    result = Config()
    result.set_main_option("script_location", str(Path(__file__).parent))
    result.set_main_option("path_separator", "os")
    result.attributes["connection"] = connection
    return result


async def upgrade(engine: AsyncEngine) -> str:
    """Bring the schema to head; several processes may try at once. Returns the revision.

    A step of a database in use is a transaction of its own: with the locks of several tables at
    once it and a batch of texts would wait for each other.

    Raises:
        RefusedError: the schema is of a newer version than this code.
    """
    reached = ""
    while reached != _revisions()[-1]:
        async with engine.begin() as connection:
            reached = await connection.run_sync(_step)
    return reached


def _step(connection: Connection) -> str:
    """One revision further, all at once in an empty database; gives the one that is reached."""
    connection.execute(_ONE_AT_A_TIME)
    current, head = _current(connection), _revisions()[-1]
    if current == head:
        return head
    if current is not None and not knows(current):
        raise RefusedError(f"the schema is of a newer version than this one (revision {current})")
    following = _revisions()[_revisions().index(current) + 1] if current else head
    command.upgrade(config(connection), following)
    return following


@cache
def _revisions() -> tuple[str, ...]:
    """This code's revisions, the first one first; they are one line."""
    newest_first = ScriptDirectory.from_config(config()).walk_revisions()
    return tuple(step.revision for step in newest_first)[::-1]


async def is_at_head(engine: AsyncEngine) -> bool:
    """Whether the database has exactly this code's schema."""
    return await current(engine) == _revisions()[-1]


async def has_tables(engine: AsyncEngine) -> bool:
    """Whether anything is in the database."""
    async with engine.connect() as connection:
        return bool(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


def serves(revision: str | None) -> bool:
    """Whether this code can work on a database at ``revision``.

    Head is right; so is one this code does not know yet, for migrations only add at first: while
    a new version is rolled out, processes of the old one stay ready.
    """
    return revision is not None and revision not in _revisions()[:-1]


def knows(revision: str | None) -> bool:
    """Whether ``revision`` is one of this code's."""
    return revision in _revisions()


async def current(engine: AsyncEngine) -> str | None:
    """The revision the database is at; ``None`` for an empty one."""
    async with engine.connect() as connection:
        return await connection.run_sync(_current)


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
