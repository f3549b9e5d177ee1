"""The migrations lead to exactly the schema that the models describe, and back."""

import asyncio
import os
import sys
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Enum, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from service.errors import RefusedError
from service.store import embedded, migrations
from service.store.answers import AnswerRow
from service.store.engine import make_engine
from service.store.inbound import ChangeRow, ReplyRow, TextRow
from service.store.tables import Answer, AnswerChange, Delivery, InboundText

CHECKS = text(
    "SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE contype = 'c'"
)

WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def test_the_schema_is_at_head_and_equals_the_models(engine: AsyncEngine) -> None:
    assert await migrations.is_at_head(engine)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, SQLModel.metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_enum_column_admits_exactly_the_members_of_its_enum(
    engine: AsyncEngine,
) -> None:
    async with engine.connect() as connection:
        found = {row.conname: row.definition for row in await connection.execute(CHECKS)}
    for table in SQLModel.metadata.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, Enum):
                continue
            definition = found[f"ck_{table.name}_{column.type.name}"]
            admitted = {part.split("'")[0] for part in definition.split("'")[1::2]}
            assert admitted == set(column.type.enums), f"{table.name}.{column.name}"


async def test_the_types_of_given_rows_are_the_columns_they_are_stored_in(
    engine: AsyncEngine,
) -> None:
    types: dict[str, tuple[Any, type[SQLModel]]] = {
        "given_text": (TextRow, InboundText),
        "given_reply": (ReplyRow, Delivery),
        "given_answer": (AnswerRow, Answer),
        "given_change": (ChangeRow, AnswerChange),
    }
    query = text(
        """
        SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
        WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
        """
    )
    async with engine.connect() as connection:
        for name, (row, stored) in types.items():
            given = (await connection.execute(query, {"name": name})).all()
            assert [one.attname for one in given] == list(row._fields)
            table = stored.__tablename__
            columns = dict((await connection.execute(query, {"name": table})).all())  # type: ignore[arg-type]
            for one in given:
                # A number's precision is the column's to hold.
                assert one.type == columns[one.attname].split("(")[0], f"{name}.{one.attname}"


async def test_the_schema_goes_down_and_up_again(server: embedded.EmbeddedServer) -> None:
    await asyncio.to_thread(embedded.ensure_database, server, "updown")
    engine = make_engine(server.url("updown"))
    await migrations.upgrade(engine)

    def down(connection: Connection) -> None:
        command.downgrade(migrations.config(connection), "base")

    async with engine.begin() as connection:
        await connection.run_sync(down)
        left = await connection.scalar(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        )
    assert left == 1  # alembic's own
    await migrations.upgrade(engine)
    assert await migrations.is_at_head(engine)
    await engine.dispose()


async def database_at(revision: str, server: embedded.EmbeddedServer, name: str) -> AsyncEngine:
    """A new database with the schema of ``revision``."""
    await asyncio.to_thread(embedded.ensure_database, server, name)
    engine = make_engine(server.url(name))
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(migrations.config(sync), revision))
    return engine


@pytest.mark.parametrize(("read_first", "reached"), [("answer", "0011"), ("delivery", "0012")])
async def test_a_step_lets_a_text_be_taken_in(
    server: embedded.EmbeddedServer, read_first: str, reached: str
) -> None:
    """A batch reads before it writes: a step waits for it with no lock that the batch needs."""
    engine = await database_at("0011", server, f"in_use_{reached}")
    async with engine.connect() as batch, engine.connect() as looking:
        await batch.execute(text(f"SELECT count(*) FROM {read_first}"))
        migrating = asyncio.create_task(migrations.upgrade(engine))
        while not await looking.scalar(WAITING):
            assert not migrating.done()
            await looking.rollback()
        assert await migrations.current(engine) == reached
        await batch.execute(text("UPDATE answer SET void = true"))
        await batch.execute(text("UPDATE answer_change SET void = true"))
        await batch.commit()
        await migrating
    assert await migrations.is_at_head(engine)
    await engine.dispose()


async def test_a_newer_version_s_schema_is_left_alone(server: embedded.EmbeddedServer) -> None:
    engine = await database_at("head", server, "newer")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RefusedError, match=r"newer version .* \(revision 9999\)"):
        await migrations.upgrade(engine)
    assert await migrations.current(engine) == "9999"
    await engine.dispose()


async def test_several_processes_may_migrate_at_once(server: embedded.EmbeddedServer) -> None:
    await asyncio.to_thread(embedded.ensure_database, server, "crowded")
    url = server.url("crowded").replace("+asyncpg", "")
    migrators = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service.cli", "migrate", env={**os.environ, "DATABASE_URL": url}
        )
        for _ in range(3)
    ]
    assert [await migrator.wait() for migrator in migrators] == [0, 0, 0]
    engine = make_engine(url)
    assert await migrations.is_at_head(engine)
    await engine.dispose()


async def test_a_naive_time_is_refused(engine: AsyncEngine) -> None:
    from datetime import datetime

    from sqlalchemy.exc import StatementError

    from service.store.tables import Installation, OptOut

    assert Installation(name="a", value="b").name == "a"
    async with engine.connect() as connection:
        values = {
            "number_key": b"x",
            "first_at": datetime(2026, 1, 1),  # noqa: DTZ001
            "last_at": datetime(2026, 1, 1),  # noqa: DTZ001
        }
        with pytest.raises(StatementError, match="naive"):
            await connection.execute(OptOut.__table__.insert(), values)
