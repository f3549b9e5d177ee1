"""Transactions for what every text and receipt does, straight on the driver.

A statement through the ORM's session costs several times what the driver takes for it, and a batch
of webhooks is four statements. So these few go to asyncpg directly, on a connection of the same
pool; whatever else a batch needs (consent, reviews) goes through the same session as anywhere, in
the same transaction. ``docs/capacity.md`` has the figures.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from service.store.engine import STATEMENT_TIMEOUT_SECONDS, Ready, Sessions, is_disconnect

_DRIVER = "driver"
_MOST_READY = 8
"""Connections of the pool that may be kept at hand: for each lane of texts and of receipts one that
works and one that commits."""
_MOST_SECONDS = STATEMENT_TIMEOUT_SECONDS + 1
"""For a whole transaction: what waits for a lock is told so by the server first."""
_NAME = re.compile(r"(?<![:\w]):(\w+)")


class Row(asyncpg.Record):  # type: ignore[misc]
    """A row whose columns are read by name, as elsewhere."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Statement:
    """A statement with ``:names``, for a quick transaction's driver or for any other session."""

    def __init__(self, sql: str) -> None:
        self._names = tuple(dict.fromkeys(_NAME.findall(sql)))
        places = {name: f"${place}" for place, name in enumerate(self._names, 1)}
        self._sql = _NAME.sub(lambda found: places[found[1]], sql)
        self._text = text(sql)

    async def rows(self, session: AsyncSession, values: Mapping[str, Any]) -> Sequence[Any]:
        """Run it; gives what it returns."""
        driver = session.info.get(_DRIVER)
        if driver is None:
            result = await session.execute(self._text, values)
            return result.all() if result.returns_rows else ()  # type: ignore[attr-defined]
        given = [values[name] for name in self._names]
        rows: Sequence[Any] = await driver.fetch(self._sql, *given, record_class=Row)
        return rows


@asynccontextmanager
async def quick_transaction(
    sessions: Sessions,
    lock_keys: Iterable[int] = (),
    *,
    committing: Callable[[], None] = lambda: None,
) -> AsyncIterator[AsyncSession]:
    """A transaction that begins by locking numbers, in one trip to the database.

    Only for statements: nothing is flushed. A server that stands still is given up in time to
    answer Twilio, with ``TimeoutError``.

    Args:
        lock_keys: as for ``engine.lock_numbers``.
        committing: called when nothing but the commit is left.
    """
    ready = await _take(sessions)
    driver, session = ready.driver, ready.session
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            await driver.execute(_begin(lock_keys))
            yield session
            committing()
            if await driver.execute("COMMIT") != "COMMIT":
                raise RuntimeError("an error was passed over, so nothing was stored")
    except TimeoutError:
        driver.terminate()  # what stands still would not roll back either
        raise
    except BaseException as error:
        await _roll_back(driver)
        if driver.is_closed() or is_disconnect(error):
            await _forget_all(sessions)
        raise
    finally:
        try:
            if session.in_transaction():
                await session.close()
        except BaseException:
            await _discard(ready.connection)
            raise
        await _put_back(sessions, ready)


async def _take(sessions: Sessions) -> Ready:
    """A connection in autocommit, for the driver begins and ends the transaction.

    Taking one from the pool and giving it back cost more than BEGIN and COMMIT do.
    """
    while sessions.ready:
        ready = sessions.ready.pop()
        if not ready.driver.is_closed():
            return ready
        await _discard(ready.connection)
    connection = await sessions.engine.connect()
    await connection.execution_options(isolation_level="AUTOCOMMIT")
    driver = _driver_of(connection)
    return Ready(connection, driver, sessions(bind=connection, info={_DRIVER: driver}))


async def _put_back(sessions: Sessions, ready: Ready) -> None:
    if len(sessions.ready) < _MOST_READY and not ready.driver.is_closed():
        sessions.ready.append(ready)
    else:
        await _discard(ready.connection)


async def _discard(connection: AsyncConnection) -> None:
    with suppress(Exception):
        await connection.invalidate()
    with suppress(Exception):
        await connection.close()


async def _roll_back(driver: Any) -> None:
    """Nothing of the transaction stands."""
    if not driver.is_closed():
        try:
            await driver.execute("ROLLBACK", timeout=_MOST_SECONDS)
        except BaseException:  # noqa: BLE001  (what has failed already is being raised)
            driver.terminate()


async def _forget_all(sessions: Sessions) -> None:
    """The server is gone, and with it every connection."""
    while sessions.ready:
        await _discard(sessions.ready.pop().connection)
    with suppress(Exception):
        await sessions.engine.dispose()


def _driver_of(connection: AsyncConnection) -> Any:
    pooled = connection.sync_connection
    assert pooled is not None  # noqa: S101  (a connection that is checked out has one)
    return pooled.connection.driver_connection


def _begin(lock_keys: Iterable[int]) -> str:
    keys = ",".join(str(int(key)) for key in sorted(set(lock_keys)))
    if not keys:
        return "BEGIN"
    return f"BEGIN; SELECT pg_advisory_xact_lock(k) FROM unnest('{{{keys}}}'::bigint[]) AS k"
