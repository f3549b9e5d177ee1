"""SIGTERM finishes what is under way: nothing is doubted, nothing lost, and the exit code is 0."""

import asyncio
from pathlib import Path

from sqlalchemy import text

from service.store import embedded
from service.store.engine import make_engine
from tests.acceptance.house import House, open_house, until
from tests.acceptance.test_killed_processes import QUICK, settled, texts_of_the_poll
from tests.acceptance.test_seed_poll import POLL_FILE

MEMBERS = 150


async def unsettled(house: House) -> int:
    """Texts of the poll that a process has in hand."""
    engine = make_engine(house.database_url)
    async with engine.connect() as connection:
        count = await connection.scalar(
            text(
                "SELECT count(*) FROM delivery WHERE purpose = 'ask'"
                " AND state IN ('leased', 'handed', 'in_doubt')"
            )
        )
    await engine.dispose()
    return count or 0


async def test_stopping_loses_and_doubles_nothing(
    server: embedded.EmbeddedServer, tmp_path: Path
) -> None:
    async with open_house(server, tmp_path, SEND_RATE="25", SETTLE_SECONDS="12") as house:
        await house.start_emulator(*QUICK)
        await asyncio.gather(house.start_web(), house.start_worker())
        await house.make_program()
        crowd = {"members": MEMBERS, "seed": 5, "keyword": "STAT", "joins_per_second": 50}
        await house.emulator("POST", "/crowd", crowd)
        assert await house.end("web0") == 0  # in the middle of the joining
        await house.start_web()
        await until(house.quiet, "everybody has joined")
        slug = await house.open_poll(POLL_FILE)

        async def some_sent() -> bool:
            return len(await texts_of_the_poll(house)) >= MEMBERS // 4

        await until(some_sent, "the middle of the sending")
        assert await house.end("worker") == 0
        assert len(await texts_of_the_poll(house)) < MEMBERS
        assert await unsettled(house) == 0
        await house.start_worker()
        found = await settled(house, slug)
        texted = await texts_of_the_poll(house)
    assert found["audience"] == found["sent"] == len(texted) == MEMBERS
    assert set(texted.values()) == {1}
