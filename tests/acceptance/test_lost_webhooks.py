"""The web process is down while members text: nothing is lost, nobody is texted twice."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from service.store import embedded
from tests.acceptance.house import House, open_house, until
from tests.acceptance.test_seed_poll import POLL_FILE
from tests.make import a_number

STOPPED, VOTED, CHANGED, JOINED = (a_number(index) for index in range(4))
QUICK = ("--receipt-seconds", "0.05,0.2", "--undelivered-share", "0", "--connect-retries", "0")


async def type_in_vain(house: House, *texts: tuple[str, str]) -> None:
    """Texts that reach the carrier and no webhook."""
    for number, body in texts:
        answer = await house.emulator("POST", f"/phones/{number}/texts", {"body": body})
        assert answer["status"] == 0


async def let_pass(house: House, span: timedelta) -> None:
    """Time passes for the processes that start from now on."""
    assert house.runtime is not None
    later = text("UPDATE installation SET value = value::float + :more WHERE name LIKE 'clock:%'")
    async with house.runtime.sessions.begin() as session:
        await session.execute(later, {"more": span.total_seconds()})


async def screen(house: House, number: str) -> list[str]:
    phone = await house.emulator("GET", f"/phones/{number}")
    return [row["body"] for row in phone["texts"] if row["direction"] == "received"]


async def states(house: House) -> dict[str, str]:
    assert house.runtime is not None
    async with house.runtime.sessions() as session:
        rows = await session.execute(text("SELECT number, state FROM subscriber"))
        return {row.number: row.state for row in rows}


async def test_what_members_texted_while_the_web_was_down_is_taken_in(
    server: embedded.EmbeddedServer, tmp_path: Path
) -> None:
    async with open_house(server, tmp_path, SEND_RATE="500") as house:
        await house.start_emulator(*QUICK)
        await asyncio.gather(house.start_web(), house.start_worker())
        await house.make_program()
        await house.texts([STOPPED, VOTED, CHANGED], "STAT")
        slug = await house.open_poll(POLL_FILE)

        async def asked() -> bool:
            return (await house.results(slug))["sent"] == 3 and await house.quiet()

        await until(asked, "everybody is asked")
        await house.texts([CHANGED], "no")
        await until(house.quiet, "the answer is thanked for")
        before = {number: await screen(house, number) for number in (STOPPED, VOTED, CHANGED)}
        await house.end("web0")
        await house.end("worker")

        await type_in_vain(house, (STOPPED, "STOP"), (VOTED, "no"), (CHANGED, "yes"))
        await type_in_vain(house, (JOINED, "STAT"))
        await let_pass(house, timedelta(minutes=10))
        await asyncio.gather(house.start_web(), house.start_worker())

        async def taken_in() -> bool:
            found = await states(house)
            return len(found) == 4 and (await house.results(slug))["applicable"] == 2

        await until(taken_in, "the lost texts are taken in")

        async def thanked() -> bool:
            return len(await screen(house, JOINED)) == 1 and await house.quiet()

        await until(thanked, "the answers are out")

        assert (await states(house))[STOPPED] == "opted_out"
        assert await screen(house, STOPPED) == before[STOPPED]  # ten minutes ago: not confirmed
        (welcome,) = await screen(house, JOINED)
        assert "you're in" in welcome
        (thanks,) = (await screen(house, VOTED))[len(before[VOTED]) :]
        assert thanks == "Acme Stat: Thank you, your answer is counted."
        (follow_up,) = (await screen(house, CHANGED))[len(before[CHANGED]) :]
        assert "Tell us how" in follow_up
        choices = (await house.results(slug))["questions"][0]["choices"]
        assert [line["count"] for line in choices[:2]] == [1, 1]
        metrics = (await house.http.get(f"{house.public_url}/metrics")).text
        assert "pollwire_texts_backfilled 4.0" in metrics

        # A webhook that works again, and one more look, change nothing.
        await house.texts([STOPPED], "is anybody there?")
        assert await screen(house, STOPPED) == before[STOPPED]
        log = await house.emulator("GET", "/log?after=0&limit=10000")
        outbound = [row for row in log["rows"] if row["direction"] != "inbound"]
        twice = Counter((row["to"], row["body"]) for row in outbound)
        assert max(twice.values()) == 1
