"""PostgreSQL dies in the middle and comes back: the same tally, nobody twice, nobody lost."""

import asyncio
from pathlib import Path

import pytest

from service.store import embedded
from tests.acceptance.house import open_house, until
from tests.acceptance.test_killed_processes import (
    MEMBERS,
    gather_crowd,
    settled,
    texts_of_the_poll,
)

ENOUGH_TRIES = "#rc=5&rp=5xx,ct,rt"


@pytest.mark.timeout(300)
async def test_the_database_is_killed_in_the_middle_and_comes_back(tmp_path: Path) -> None:
    place, folder = tmp_path / "postgres", tmp_path / "house"
    folder.mkdir()
    server = await asyncio.to_thread(embedded.start, place)
    try:
        async with open_house(server, folder, SEND_RATE="150", SETTLE_SECONDS="12") as house:
            slug = await gather_crowd(house, inbound_options=ENOUGH_TRIES)

            async def half_sent() -> bool:
                return len(await texts_of_the_poll(house)) >= MEMBERS // 3

            await until(half_sent, "the middle of the sending")
            await asyncio.to_thread(server.stop, "immediate")
            server = await asyncio.to_thread(embedded.start, place)
            found = await settled(house, slug)
            texted = await texts_of_the_poll(house)
            log = (folder / "worker.log").read_text()
    finally:
        await asyncio.to_thread(server.stop, "immediate")

    assert [number for number, times in texted.items() if times > 1] == []
    assert len(texted) == MEMBERS
    assert found["audience"] == found["sent"] == MEMBERS
    assert found["replied"] == found["applicable"] + sum(found["excluded"].values())
    assert log.count("the database is away") <= 2  # said once for each time it went
