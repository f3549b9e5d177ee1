"""``kill -9`` in the middle of sending and answering: the same tally, nobody twice, nobody lost."""

import asyncio
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from service.store import embedded
from tests.acceptance.house import House, open_house, until
from tests.acceptance.test_seed_poll import POLL_FILE

MEMBERS = 400
UNSETTLED = {"waiting", "handed over", "in doubt"}
QUICK = (
    *("--answer-seconds", "0.2,4", "--receipt-seconds", "0.05,0.3"),
    *("--connect-retries", "14", "--connect-retry-seconds", "1.0", "--seed", "11"),
)


async def gather_crowd(house: House, *, inbound_options: str = "") -> str:
    """A crowd that has joined, and a poll that has just opened for it."""
    inbound = f"{house.public_url}/webhooks/twilio/inbound{inbound_options}"
    await house.start_emulator(*QUICK, "--inbound-url", inbound)
    await asyncio.gather(house.start_web(), house.start_worker())
    await house.make_program()
    crowd = {"members": MEMBERS, "seed": 11, "keyword": "STAT", "joins_per_second": 400}
    await house.emulator("POST", "/crowd", crowd)
    await until(house.quiet, "everybody has joined")
    return await house.open_poll(POLL_FILE)


async def settled(house: House, slug: str) -> Any:
    """The tally once every text is out and every answer in; receipts may get lost for good."""

    async def done() -> bool:
        found = await house.results(slug)
        # Without an audience the poll has opened, and its texts are still being written.
        if not found["audience"] or UNSETTLED & found["not_sent"].keys():
            return False
        return await house.quiet()

    await until(done, "the poll is settled", 120)
    return await house.results(slug)


async def texts_of_the_poll(house: House) -> Counter[str]:
    """How often each number was sent the question, as the carrier logged it."""
    log = await house.emulator("GET", "/log?after=0&limit=100000")
    question = "Does your organization"
    return Counter(row["to"] for row in log["rows"] if question in (row["body"] or ""))


@pytest.mark.timeout(300)
async def test_killed_in_the_middle_everything_ends_the_same(
    server: embedded.EmbeddedServer, tmp_path: Path
) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    undisturbed.mkdir()
    disturbed.mkdir()
    async with open_house(server, undisturbed, SEND_RATE="300") as house:
        expected = await settled(house, await gather_crowd(house))

    async with open_house(server, disturbed, SEND_RATE="150", SETTLE_SECONDS="12") as house:
        slug = await gather_crowd(house)

        async def half_sent() -> bool:
            return len(await texts_of_the_poll(house)) >= MEMBERS // 3

        await until(half_sent, "the middle of the sending")
        await house.end("worker", signal.SIGKILL)
        await house.end("web0", signal.SIGKILL)
        await asyncio.gather(house.start_web(), house.start_worker())
        await until(half_sent, "the middle of the answering")
        await house.end("web0", signal.SIGKILL)
        await house.start_web()
        found = await settled(house, slug)
        texted = await texts_of_the_poll(house)

    assert [number for number, times in texted.items() if times > 1] == []
    assert len(texted) == MEMBERS
    for figure in ("audience", "sent", "replied", "applicable", "excluded", "questions"):
        assert found[figure] == expected[figure], figure
