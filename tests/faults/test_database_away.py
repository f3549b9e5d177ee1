"""PostgreSQL is gone for a while: refusals come promptly, nothing is lost, the log says so once."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from twilio.request_validator import RequestValidator

from service.store import embedded
from service.store.engine import make_engine
from tests.acceptance.house import PUBLIC, TOKEN, House, open_house, until
from tests.acceptance.test_killed_processes import settled, texts_of_the_poll
from tests.acceptance.test_seed_poll import POLL_FILE
from tests.conftest import FAST_AND_UNSAFE

MEMBERS = 200
AWAY_SECONDS = 30.0
"""Longer than Twilio tries: what was refused is left to the carrier's list."""
PATIENT = "#ct=2000&rt=4000&rc=5&rp=5xx,ct,rt"
PROMPTLY_SECONDS = 4.0
"""What docs/operations.md lets Twilio wait for an answer."""


async def post_text(house: House, sid: str) -> tuple[int, float]:
    """A text posted by hand; gives the answer's status and how long it took."""
    url = f"{house.public_url}/webhooks/twilio/inbound"
    form = {"MessageSid": sid, "From": "+13035550100", "To": "33550", "Body": "STAT"}
    signature = RequestValidator(TOKEN).compute_signature(url, form)
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await house.http.post(url, data=form, headers={"X-Twilio-Signature": signature})
    return answer.status_code, loop.time() - began


async def refused_while_away(house: House, seconds: float) -> list[tuple[int, float]]:
    """What texts are answered over so many seconds, some at once, again and again."""
    loop = asyncio.get_running_loop()
    ends_at, answers = loop.time() + seconds, []
    while loop.time() < ends_at:
        tried = len(answers)
        sids = [f"SM{tried + index:032x}" for index in range(5)]
        answers += await asyncio.gather(*(post_text(house, sid) for sid in sids))
        await asyncio.sleep(0.5)
    return answers


async def texts_that_left_phones(house: House) -> set[str]:
    """The MessageSids of all texts that members sent."""
    log = await house.emulator("GET", "/log?after=0&limit=100000")
    return {row["sid"] for row in log["rows"] if row["direction"] == "inbound"}


async def texts_taken_in(house: House) -> set[str]:
    engine = make_engine(house.database_url)
    async with engine.connect() as connection:
        taken = set(await connection.scalars(text("SELECT message_sid FROM inbound_text")))
    await engine.dispose()
    return taken


@pytest.mark.timeout(400)
async def test_while_the_database_is_away_all_wait_and_nothing_is_lost(tmp_path: Path) -> None:
    place, folder = tmp_path / "postgres", tmp_path / "house"
    folder.mkdir()
    server = await asyncio.to_thread(embedded.start, place, options=FAST_AND_UNSAFE)
    try:
        async with open_house(server, folder, SEND_RATE="100", SETTLE_SECONDS="12") as house:
            fallback = f"{PUBLIC}:{house.web_ports[1]}"
            await house.start_emulator(
                *("--answer-seconds", "0.2,4", "--receipt-seconds", "0.05,0.3", "--seed", "11"),
                *("--inbound-url", f"{house.public_url}/webhooks/twilio/inbound{PATIENT}"),
                *("--fallback-url", f"{fallback}/webhooks/twilio/inbound{PATIENT}"),
                *("--connect-retry-seconds", "2"),
            )
            await asyncio.gather(
                house.start_web(0),
                house.start_web(1, PUBLIC_BASE_URL=fallback),
                house.start_worker(),
            )
            await house.make_program()
            crowd = {"members": MEMBERS, "seed": 11, "keyword": "STAT", "joins_per_second": 400}
            await house.emulator("POST", "/crowd", crowd)
            await until(house.quiet, "everybody has joined")
            slug = await house.open_poll(POLL_FILE)

            async def half_sent() -> bool:
                return len(await texts_of_the_poll(house)) >= MEMBERS // 2

            await until(half_sent, "the middle of the sending")
            await asyncio.to_thread(server.stop, "fast")
            answers = await refused_while_away(house, AWAY_SECONDS)
            alive = await house.http.get(f"{house.public_url}/healthz")
            ready = await house.http.get(f"{house.public_url}/readyz")
            server = await asyncio.to_thread(embedded.start, place, options=FAST_AND_UNSAFE)
            await settled(house, slug)

            async def all_are_in() -> bool:
                return await texts_that_left_phones(house) <= await texts_taken_in(house)

            await until(all_are_in, "what was refused has come in all the same", 180)
            found = await settled(house, slug)
            texted = await texts_of_the_poll(house)
            logs = {name: (folder / f"{name}.log").read_text() for name in ("web0", "worker")}
    finally:
        await asyncio.to_thread(server.stop, "immediate")

    assert {status for status, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) < PROMPTLY_SECONDS
    assert (alive.status_code, ready.status_code) == (200, 503)
    assert set(texted.values()) == {1}
    assert found["audience"] == found["sent"] == len(texted) == MEMBERS
    for name, log in logs.items():
        assert 1 <= log.count("the database is away") <= 3, (name, log)
        assert len(log.splitlines()) < 30, (name, log)
