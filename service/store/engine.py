"""One pool per process, and what the hot statements share."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from asyncpg import InterfaceError, InternalClientError
from sqlalchemy import text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

T = TypeVar("T")
STATEMENT_TIMEOUT_SECONDS = 8
"""Below Twilio's 15 s, so a webhook gets its 503 while Twilio still listens."""


def make_engine(url: str, *, pool_size: int = 8) -> AsyncEngine:
    """The engine of one process.

    Args:
        url: ``postgresql://…``; the asyncpg driver is chosen here.
        pool_size: connections kept; as many again may be opened under load.
    """
    return create_async_engine(
        url.replace("postgres://", "postgresql://", 1).replace(
            "postgresql://", "postgresql+asyncpg://", 1
        ),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=STATEMENT_TIMEOUT_SECONDS,
        hide_parameters=True,  # an error's text may reach a log
        connect_args={
            "timeout": STATEMENT_TIMEOUT_SECONDS,
            "server_settings": {
                "application_name": "pollwire",
                "timezone": "UTC",
                "jit": "off",
                # Plans of prepared statements outlive the size that tables had when they were
                # made: what was planned on an empty table would go on reading all of a full one.
                # For the same reason hot statements name the keys they want with = ANY (…) even
                # where a join implies them.
                "enable_seqscan": "off",
                # With a batch's arrays as parameters PostgreSQL would plan each execution anew.
                "plan_cache_mode": "force_generic_plan",
                "lock_timeout": f"{STATEMENT_TIMEOUT_SECONDS}s",
                "idle_in_transaction_session_timeout": "60s",
            },
        },
    )


class Ready(NamedTuple):
    """A connection of the pool, in autocommit, that quick transactions keep at hand.

    Attributes:
        driver: asyncpg's own connection under it.
        session: on that connection.
    """

    connection: AsyncConnection
    driver: Any
    session: AsyncSession


class Sessions(async_sessionmaker[AsyncSession]):
    """Sessions on one engine; their rows stay readable after commit.

    Attributes:
        engine: what they are made on.
        ready: what quick transactions keep at hand.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, expire_on_commit=False)
        self.engine = engine
        self.ready: list[Ready] = []

    async def close(self) -> None:
        """Give the connections at hand back to the pool."""
        while self.ready:
            connection = self.ready.pop().connection
            await connection.invalidate()  # the pool it came from may be gone
            await connection.close()


async def once_more_if_disconnected(work: Callable[[], Awaitable[T]]) -> T:
    """``work()``, run again once when its connection turned out to be dead.

    A pooled connection is stale after PostgreSQL restarted; ``work`` is a whole transaction, so
    nothing of the first try stands. Who has waited in vain for a connection does not wait again:
    Twilio would not.
    """
    try:
        return await work()
    except Exception as error:
        if isinstance(error, TimeoutError) or not is_disconnect(error):
            raise
    return await work()


def is_disconnect(error: BaseException) -> bool:
    """Whether ``error`` means that the database cannot be reached, rather than that it objects."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = str(getattr(cause, "sqlstate", None) or "")
    return isinstance(cause, _LOST) or state.startswith(_AWAY)


def is_out_of_range(error: BaseException) -> bool:
    """Whether a number does not fit its column."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
    return isinstance(getattr(cause, "__cause__", None), OverflowError)


def is_hopeless(error: BaseException) -> bool:
    """Whether any other transaction would fail now too, or has no time left to be tried.

    The database is away; or a connection, a lock or a statement was waited for in vain, so that
    whoever posted a webhook will not wait for a second try.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = str(getattr(cause, "sqlstate", None) or "")
    return is_disconnect(error) or isinstance(cause, PoolTimeoutError) or state in _WAITED


_WAITED = frozenset({"53300", "55P03", "57014"})
"""SQLSTATEs: too many connections, lock not available, statement cancelled."""
_LOST = (OSError, InterfaceError, InternalClientError)
"""The last where the server's farewell was read and the end of the connection not yet."""
_AWAY = ("08", "57P")
"""SQLSTATE classes: connection exception; the server shuts down or starts up."""


_REFUSED = {
    "28P01": "the server refuses the role or its password",
    "28000": "the server refuses the role or this machine",
    "3D000": "the server has no such database",
    "42501": "the role may not read the tables",
    "53300": "the server has no connection to spare",
}


def why_unusable(error: BaseException) -> str:
    """Why a database cannot be used, without anything of its address."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    known = _REFUSED.get(str(getattr(cause, "sqlstate", None) or ""))
    if known:
        return known
    if isinstance(cause, (ValueError, ArgumentError)):
        return "the address cannot be read"
    return (
        f"no connection ({type(cause).__name__})" if is_disconnect(error) else type(cause).__name__
    )


def describe(error: BaseException) -> str:
    """An error for the log: its kind and first line, never the statement's values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return f"{type(cause).__name__}: {cause}".splitlines()[0][:200]


async def lock_numbers(session: AsyncSession, lock_keys: Iterable[int]) -> None:
    """Hold these numbers until the transaction ends; always in one order, so nobody deadlocks."""
    keys = sorted(set(lock_keys))
    if keys:
        await session.execute(_LOCK, {"keys": keys})


_LOCK = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")
