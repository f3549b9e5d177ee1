"""The program's own poll of March 30, 2021, comes out exactly, whatever else members text."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from twilio.request_validator import RequestValidator

from service.store import embedded
from service.store.engine import make_engine
from tests.acceptance.house import TOKEN, House, open_house, until
from tests.make import a_number

POLL_FILE = Path(__file__).parents[2] / "service" / "cli" / "coaching.yaml"
TABLES = ("inbound_text", "answer", "answer_change", "delivery", "consent_event", "subscriber")


def numbers(first: int, people: int) -> list[str]:
    """A run of distinct members."""
    return [a_number(index) for index in range(first, first + people)]


YES, NO = numbers(0, 390), numbers(390, 477)
NOT_APPLICABLE, UNREADABLE = numbers(1000, 43), numbers(1100, 21)
STOPPED, LATE, SILENT = numbers(1200, 17), numbers(1300, 12), numbers(1400, 10)
EVERYBODY = [*YES, *NO, *NOT_APPLICABLE, *UNREADABLE, *STOPPED, *LATE, *SILENT]


async def answer(house: House) -> None:
    """390 yes, 477 no, and everything that must not change that."""
    await house.texts(YES[:200], "Yes")
    await house.texts(YES[200:360], "y")
    await house.texts(YES[360:], "Yes - we have a full-time coach")
    await house.texts(YES[:40], "a monthly circle of peers")  # the follow-up
    await house.texts(YES[:60], "YES")  # twice
    for _ in range(2):
        await house.texts(YES[100:120], "yes.")  # in triplicate
    await house.texts(NO[:300], "No")
    await house.texts(NO[300:400], "nope")
    await house.texts(NO[400:], "yes")  # a change of mind, the follow-up waiting
    await house.texts(NO[400:], "No")
    await house.texts(NO[:5], "purple")  # after a valid answer: left to a person
    await house.texts(NOT_APPLICABLE, "N/A")
    await house.texts(UNREADABLE, "purple elephants")
    await house.texts(STOPPED, "STOP")
    await house.texts(STOPPED, "yes")  # after STOP


async def test_the_seeds_sentence_comes_out_of_the_data(
    server: embedded.EmbeddedServer, tmp_path: Path
) -> None:
    talkative = {"LOG_LEVEL": "debug", "LOG_FORMAT": "json"}
    async with open_house(server, tmp_path, SEND_RATE="2000", **talkative) as house:
        await house.start_emulator("--receipt-seconds", "0.05,0.2", "--undelivered-share", "0")
        await asyncio.gather(house.start_web(0), house.start_web(1), house.start_worker())
        await house.make_program()
        await house.texts(EVERYBODY, "STAT")
        slug = await house.open_poll(POLL_FILE)

        async def all_delivered() -> bool:
            return bool((await house.results(slug))["delivered"] == len(EVERYBODY))

        await until(all_delivered, "every text delivered")
        await answer(house)
        await house.pollwire("poll", "close", slug)
        await house.texts(LATE, "yes")
        found = await house.pollwire("poll", "results", slug)
        assert found["sentence"] == (
            '45% said "yes." 55% said "no." '
            "The poll was conducted March 30, 2021, with 867 applicable responses."
        )
        assert found["questions"][0]["choices"] == [
            {"label": "yes", "count": 390, "percent": 45},
            {"label": "no", "count": 477, "percent": 55},
        ]
        assert found["applicable"] == 867
        assert found["excluded"] == {
            "not applicable": len(NOT_APPLICABLE),
            "not understood": len(UNREADABLE),
            "opted out": len(STOPPED),
            "too late": len(LATE),
        }
        assert found["replied"] == 867 + sum(found["excluded"].values())
        assert found["sent"] == len(EVERYBODY)
        assert found["questions"][1]["applicable"] == 40 + 30
        await nothing_more_to_the_opted_out(house)
        await replay_everything(house)
        assert await house.results(slug) == found
    logs_name_nobody(tmp_path)


def logs_name_nobody(folder: Path) -> None:
    """Neither numbers nor words of members stand in the product's logs."""
    logs = [folder / f"{name}.log" for name in ("web0", "web1", "worker")]
    written = "".join(log.read_text() for log in logs)
    assert written.count("\n") > 5
    for secret in ("+1303", "303200", "purple", "full-time coach", "peers", "Does your org", TOKEN):
        assert secret not in written


async def nothing_more_to_the_opted_out(house: House) -> None:
    """After its one confirmation a number that said STOP hears nothing."""
    for number in STOPPED[:5]:
        phone = await house.emulator("GET", f"/phones/{number}")
        received = [heard["body"] for heard in phone["texts"] if heard["direction"] == "received"]
        assert received[-1].startswith("Acme Stat: You are unsubscribed")


async def replay_everything(house: House) -> None:
    """Every inbound text again, three times in parallel over two web processes."""
    rows: list[dict[str, Any]] = []
    while True:
        page = await house.emulator("GET", f"/log?after={rows[-1]['n'] if rows else 0}")
        rows += page["rows"]
        if not page["rows"]:
            break
    inbound = [row for row in rows if row["direction"] == "inbound"]
    assert len(inbound) > 2 * len(EVERYBODY)
    before = await row_counts(house)
    limit = asyncio.Semaphore(60)

    async def post(row: dict[str, Any], copy: int) -> str:
        form = {"MessageSid": row["sid"], "From": row["from"], "To": row["to"], "Body": row["body"]}
        target = "/webhooks/twilio/inbound"
        signature = RequestValidator(TOKEN).compute_signature(house.public_url + target, form)
        port = house.web_ports[copy % 2]
        async with limit:
            answered = await poster.post(
                f"http://127.0.0.1:{port}{target}",
                data=form,
                headers={"X-Twilio-Signature": signature},
            )
        assert answered.status_code == 200
        return answered.text

    async with httpx.AsyncClient(timeout=60) as poster:
        for start in range(0, len(inbound), 500):
            chunk = inbound[start : start + 500]
            answers = await asyncio.gather(*(post(row, copy) for row in chunk for copy in range(3)))
            for index in range(len(chunk)):
                assert len(set(answers[3 * index : 3 * index + 3])) == 1
    assert await row_counts(house) == before


async def row_counts(house: House) -> dict[str, int]:
    """How many rows each table has."""
    engine = make_engine(house.database_url)
    async with engine.connect() as connection:
        counts = {
            table: await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0
            for table in TABLES
        }
    await engine.dispose()
    return counts
