"""Which failures of the database concern everybody, and which only what was asked."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from service.store.embedded import EmbeddedServer
from service.store.engine import is_disconnect, is_hopeless, once_more_if_disconnected


async def test_a_lock_waited_for_in_vain_is_hopeless_and_no_disconnect(
    engine: AsyncEngine,
) -> None:
    lock = text("SELECT pg_advisory_xact_lock(7)")
    async with engine.begin() as holder, engine.connect() as waiting:
        await holder.execute(lock)
        await waiting.execute(text("SET LOCAL lock_timeout = '50ms'"))
        with pytest.raises(DBAPIError) as failure:
            await waiting.execute(lock)
    assert (is_hopeless(failure.value), is_disconnect(failure.value)) == (True, False)


async def test_an_objection_of_the_database_is_not_hopeless(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError) as failure:
            await connection.execute(text("SELECT 1 / 0"))
    assert not is_hopeless(failure.value)


async def test_a_pool_without_a_connection_to_spare_is_hopeless(server: EmbeddedServer) -> None:
    small = create_async_engine(
        server.url("postgres"), pool_size=1, max_overflow=0, pool_timeout=0.05
    )
    async with small.connect():
        with pytest.raises(Exception, match="QueuePool limit") as failure:
            await small.connect()
    await small.dispose()
    assert is_hopeless(failure.value)


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (ConnectionResetError(), 2),
        (ConnectionRefusedError(), 2),
        (TimeoutError(), 1),
        (ValueError(), 1),
    ],
)
async def test_a_dead_connection_is_replaced_once_and_no_time_is_waited_twice(
    error: Exception, tries: int
) -> None:
    tried = 0

    async def work() -> None:
        nonlocal tried
        tried += 1
        await asyncio.sleep(0)
        raise error

    with pytest.raises(type(error)):
        await once_more_if_disconnected(work)
    assert tried == tries
