"""Transactions straight on the driver: connections at hand, and a server that stands still."""

import asyncio
import os
import signal
from contextlib import suppress

import asyncpg
import pytest
from sqlalchemy import text

from service.runtime import Runtime
from service.store import quick
from service.store.engine import is_hopeless
from service.store.quick import Statement, quick_transaction

PID = Statement("SELECT pg_backend_pid() AS pid")
NOTE = Statement("INSERT INTO opt_out (number_key, first_at, last_at) VALUES ('x', now(), now())")


async def backend(runtime: Runtime) -> int:
    async with quick_transaction(runtime.sessions) as session:
        return int((await PID.rows(session, {}))[0].pid)


async def noted(runtime: Runtime) -> int:
    async with runtime.sessions() as session:
        return int((await session.execute(text("SELECT count(*) FROM opt_out"))).scalar_one())


async def test_a_connection_is_used_again(runtime: Runtime) -> None:
    assert await backend(runtime) == await backend(runtime)
    await runtime.sessions.close()
    assert not runtime.sessions.ready


async def test_what_fails_is_rolled_back_and_its_connection_goes_on(runtime: Runtime) -> None:
    before = await backend(runtime)
    with pytest.raises(ValueError, match="no"):
        async with quick_transaction(runtime.sessions) as session:
            await NOTE.rows(session, {})
            raise ValueError("no")
    assert await noted(runtime) == 0
    assert await backend(runtime) == before


async def test_a_session_and_the_driver_are_one_transaction(runtime: Runtime) -> None:
    with pytest.raises(ValueError, match="no"):
        async with quick_transaction(runtime.sessions) as session:
            await session.execute(
                text(
                    "INSERT INTO opt_out (number_key, first_at, last_at) VALUES ('y', now(), now())"
                )
            )
            raise ValueError("no")
    assert await noted(runtime) == 0
    async with quick_transaction(runtime.sessions) as session:
        await session.execute(text("SELECT 1"))
        await NOTE.rows(session, {})
    assert await noted(runtime) == 1


async def test_an_error_passed_over_is_no_commit(runtime: Runtime) -> None:
    with pytest.raises(RuntimeError, match="passed over"):
        async with quick_transaction(runtime.sessions) as session:
            await NOTE.rows(session, {})
            with suppress(asyncpg.UniqueViolationError):
                await NOTE.rows(session, {})
    assert await noted(runtime) == 0


@pytest.mark.parametrize("by_session", [False, True])
async def test_a_server_that_stands_still_is_given_up(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, by_session: bool
) -> None:
    monkeypatch.setattr(quick, "_MOST_SECONDS", 0.3)
    async with runtime.sessions() as session:
        idle = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        frozen = {idle, await backend(runtime)}
    try:
        async with asyncio.timeout(3):
            with pytest.raises(TimeoutError) as told:
                async with quick_transaction(runtime.sessions) as session:
                    await session.execute(text("SELECT 1"))
                    await NOTE.rows(session, {})
                    for pid in frozen:
                        os.kill(pid, signal.SIGSTOP)
                    if by_session:
                        await session.execute(text("SELECT 1"))
                    await PID.rows(session, {})
        assert is_hopeless(told.value)
        assert not runtime.sessions.ready
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    assert await backend(runtime) not in frozen - {idle}
    assert await noted(runtime) == 0
