"""Planned trouble: what befalls creates, the list and receipts, and that it ends."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import httpx
import pytest
import uvicorn
from emulator_helpers import ACCOUNT, MESSAGES, NUMBER, TOKEN, Emulator, Product

from emulator.hangup import HangUpProtocol
from emulator.settings import Span

Emulate = Callable[..., Awaitable[Emulator]]


async def plan(emulator: Emulator, **faults: object) -> None:
    answer = await emulator.http.post("/emulator/faults", json=faults)
    assert answer.status_code == 200, answer.text


async def accepted(emulator: Emulator) -> int:
    return len((await emulator.log())["rows"])


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(emulator: Emulator) -> AsyncIterator[aiohttp.ClientSession]:
    """The emulator behind its real server, and a client that counts no connection as an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            emulator.app, log_level="warning", lifespan="off", http=HangUpProtocol
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with aiohttp.ClientSession(
            f"http://127.0.0.1:{listener.getsockname()[1]}",
            headers={"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)},
            timeout=aiohttp.ClientTimeout(total=0.2),
        ) as session:
            yield session
        server.should_exit = True
        await serving


async def create(session: aiohttp.ClientSession) -> int:
    form = {"To": NUMBER, "From": "33550", "Body": "Hello"}
    async with session.post(f"{MESSAGES}.json", data=form) as answer:
        await answer.read()
        return answer.status


@pytest.mark.parametrize(
    ("fault", "failure", "at_once", "in_the_end"),
    [
        ("dropped", aiohttp.ServerDisconnectedError, 1, 1),
        ("dropped_before", aiohttp.ServerDisconnectedError, 0, 0),
        ("dropped_late", aiohttp.ServerDisconnectedError, 0, 1),
        ("silent", TimeoutError, 0, 0),
        ("silent_after", TimeoutError, 1, 1),
        ("late", TimeoutError, 0, 1),
    ],
)
async def test_an_answer_that_never_comes_may_still_be_an_acceptance(
    product: Product,
    emulate: Emulate,
    fault: str,
    failure: type[Exception],
    at_once: int,
    in_the_end: int,
) -> None:
    emulator = await emulate()
    await plan(emulator, creates=[fault], late_accept_seconds=[0.2, 0.2])
    async with listening(emulator) as session:
        # A reset connection is as good as a closed one.
        with pytest.raises((failure, ConnectionResetError)):
            await create(session)
        assert await accepted(emulator) == at_once

        async def are_accepted() -> bool:
            return await accepted(emulator) == in_the_end

        await until(are_accepted)
        assert await create(session) == 201
        assert await accepted(emulator) == in_the_end + 1


async def test_a_silent_server_answers_nothing_until_the_plan_is_replaced(
    product: Product, emulate: Emulate
) -> None:
    emulator = await emulate()
    await plan(emulator, silent=True)
    async with listening(emulator) as session:
        for address in (f"{MESSAGES}.json", f"{MESSAGES}/SM1.json"):
            with pytest.raises(TimeoutError):
                await session.get(address)
        with pytest.raises(TimeoutError):
            await create(session)
        await plan(emulator)
        assert await create(session) == 201


async def test_a_silence_ends_with_a_closed_connection(product: Product, emulate: Emulate) -> None:
    emulator = await emulate()
    await plan(emulator, silent=True, silence_seconds=0.05)
    async with listening(emulator) as session:
        with pytest.raises((aiohttp.ServerDisconnectedError, ConnectionResetError)):
            await create(session)


async def test_the_list_lags_behind_and_the_message_itself_does_not(
    product: Product, emulate: Emulate
) -> None:
    emulator = await emulate()
    await plan(emulator, list_lag_seconds=30)
    sid = (await emulator.create()).json()["sid"]
    listed = await emulator.http.get(f"{MESSAGES}.json", params={"To": NUMBER})
    assert listed.json()["messages"] == []
    assert (await emulator.http.get(f"{MESSAGES}/{sid}.json")).status_code == 200
    await plan(emulator)
    listed = await emulator.http.get(f"{MESSAGES}.json", params={"To": NUMBER})
    assert [message["sid"] for message in listed.json()["messages"]] == [sid]


async def test_a_storm_of_429_ends_by_itself(product: Product, emulate: Emulate) -> None:
    emulator = await emulate()
    await plan(emulator, create_shares={"busy": 1}, for_seconds=0.2)
    answers = [await emulator.create() for _ in range(3)]
    assert {answer.status_code for answer in answers} == {429}

    async def is_over() -> bool:
        return (await emulator.create()).status_code == 201

    await until(is_over)


async def test_shares_befall_the_same_people_for_the_same_seed(
    product: Product, emulate: Emulate
) -> None:
    numbers = [f"+1303555{index:04}" for index in range(300)]
    shares = {"busy": 0.1, "error": 0.1}

    async def struck(seed: int, order: list[str]) -> dict[str, int]:
        emulator = await emulate(fault_seed=seed)
        await plan(emulator, create_shares=shares)
        found = {number: (await emulator.create(to=number)).status_code for number in order}
        told = (await emulator.http.get("/emulator/faults")).json()
        codes = Counter(found.values())
        assert (told["busy"], told["error"]) == (codes[429], codes[503])
        return found

    first = await struck(1, numbers)
    assert first == await struck(1, numbers[::-1])
    assert first != await struck(2, numbers)
    assert 10 < Counter(first.values())[429] < 60


async def test_a_receipt_may_come_before_the_answer_to_the_create(
    product: Product, emulate: Emulate
) -> None:
    emulator = await emulate()
    await plan(emulator, creates=["early"])
    answer = await emulator.create(statusCallback=f"{product.base_url}/status")
    assert product.receipts[0][1]["MessageSid"] == answer.json()["sid"]
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")


async def test_receipts_overtake_each_other(product: Product, emulate: Emulate) -> None:
    emulator = await emulate(messaging_service_sid="MG1")
    await plan(emulator, reordered_receipts_share=0.5, reordered_seconds=[0.05, 0.1])
    fields = {"from": "", "messagingServiceSid": "MG1"}
    for index in range(20):
        callback = f"{product.base_url}/status?delivery={index}"
        await emulator.create(**fields, to=f"+13035550{index:03}", statusCallback=callback)
    await product.wait_for(lambda: len(product.receipts) == 60)
    orders = Counter(
        tuple(form["MessageStatus"] for path, form, _ in product.receipts if path == wanted)
        for wanted in {path for path, _, _ in product.receipts}
    )
    assert len(orders) > 1
    assert {tuple(sorted(order)) for order in orders} == {("delivered", "queued", "sent")}
    crowd = (await emulator.http.get("/emulator/crowd")).json()
    assert crowd["receipts_waiting"] == 0


async def test_a_blocked_number_is_told_at_once_or_only_by_receipt(
    product: Product, emulate: Emulate
) -> None:
    emulator = await emulate()
    await plan(emulator, creates=["blocked", "blocked_later"])
    callback = f"{product.base_url}/status"
    assert (await emulator.create(statusCallback=callback)).json()["code"] == 21610
    assert (await emulator.create(statusCallback=callback)).status_code == 201
    await product.wait_for(lambda: len(product.receipts) == 1)
    form = product.receipts[0][1]
    assert (form["MessageStatus"], form["ErrorCode"]) == ("failed", "21610")
    assert (await emulator.phone())["texts"] == []


async def test_ten_hours_of_traffic_are_queued_and_no_more(
    product: Product, emulate: Emulate
) -> None:
    emulator = await emulate(
        segments_per_second=1.0, queue_seconds=2.5, messaging_service_sid="MG1"
    )
    answers = []
    for _ in range(4):
        answers.append(await emulator.create())
        await asyncio.sleep(0)  # the carrier takes charge on the loop's next turn
    assert [answer.status_code for answer in answers] == [201, 201, 201, 400]
    assert answers[3].json()["code"] == 21611
    fields = {"from": "", "messagingServiceSid": "MG1"}
    callback = f"{product.base_url}/status"
    assert (await emulator.create(**fields, statusCallback=callback)).status_code == 201
    await product.wait_for(lambda: len(product.receipts) == 1)
    form = product.receipts[0][1]
    assert (form["MessageStatus"], form["ErrorCode"]) == ("failed", "30001")


@pytest.mark.parametrize(
    "wrong",
    [
        {"creates": ["moonlit"]},
        {"create_shares": {"busy": 0.7, "error": 0.7}},
        {"create_shares": {"busy": -0.1}},
        {"late_accept_seconds": [3, 1]},
        {"lost_receipts_share": 2},
    ],
)
async def test_a_plan_that_makes_no_sense_is_refused(
    product: Product, emulate: Emulate, wrong: dict[str, object]
) -> None:
    emulator = await emulate()
    answer = await emulator.http.post("/emulator/faults", json=wrong)
    assert answer.status_code == 422


async def test_the_log_tells_how_the_product_answered_each_text(
    product: Product, emulate: Emulate
) -> None:
    emulator = await emulate(
        inbound_url=f"{product.inbound_url}#rc=1&rp=5xx",
        fallback_url=f"{product.base_url}/fallback",
    )
    await emulator.text("STAT")
    product.answer = lambda form: (503, "", "")
    await emulator.text("YES")
    inbound = [row for row in (await emulator.log())["rows"] if row["direction"] == "inbound"]
    well = {"status": 200, "error_code": None, "tries": 1, "by_fallback": False, "replies": 0}
    assert inbound[0]["webhook"] == well
    assert inbound[1]["webhook"] == well | {"by_fallback": True, "replies": 1}


async def test_a_hundred_thousand_rows_are_read_in_seconds(
    product: Product, emulate: Emulate
) -> None:
    emulator = await emulate(receipt_seconds=Span(60.0, 60.0), connect_retries=0)
    await emulator.create(statusCallback=f"{product.base_url}/status?delivery=1")
    log = emulator.app.state.log
    for index in range(100_000):
        log.add("outbound-api", NUMBER, "33550", f"text {index}", "queued")
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await emulator.http.get(
        "/emulator/log", params={"limit": 100_000}, timeout=httpx.Timeout(30)
    )
    assert loop.time() - began < 10
    assert answer.json()["next"] == 100_000
