"""Databases on the embedded server: made when missing, dropped for a fresh start."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from service.store.embedded.server import EmbeddedServer


def ensure_database(server: EmbeddedServer, name: str) -> None:
    """Create a database unless it exists; safe from many processes at once. Blocks."""
    asyncio.run(_ensure_database(server, name))


def drop_database(server: EmbeddedServer, name: str) -> None:
    """Drop a database with whatever is in it, if it is there. Blocks."""
    asyncio.run(_drop_database(server, name))


async def _ensure_database(server: EmbeddedServer, name: str) -> None:
    async with _administration(server) as session:
        # CREATE DATABASE has no IF NOT EXISTS. The lock ends with the session.
        await session.execute(text("SELECT pg_advisory_lock(hashtext('create database'))"))
        known = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if await session.scalar(known, {"name": name}) is None:
            await session.exec_driver_sql(f"CREATE DATABASE {_quoted(name)}")


async def _drop_database(server: EmbeddedServer, name: str) -> None:
    async with _administration(server) as session:
        await session.exec_driver_sql(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")


@asynccontextmanager
async def _administration(server: EmbeddedServer) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(
        server.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    async with engine.connect() as session:
        yield session


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
