"""Numbers that cannot be reached leave the audience, with evidence, and come back by a text."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from service.actions.polls import close_poll
from service.actions.record_receipts import ReceivedReceipt, record_receipts
from service.actions.results import read_results
from service.errors import RejectedError
from service.runtime import Runtime
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import (
    COACHING,
    make_members,
    make_open_poll,
    make_program,
    run_background,
    text_in,
)

WEEK = timedelta(days=7)


@pytest.fixture
async def number(runtime: Runtime) -> str:
    await make_program(runtime)
    (number,) = await make_members(runtime, 1)
    return number


async def poll_of_the_week(
    runtime: Runtime, week: int, number: str, *receipts: tuple[str, int | None]
) -> None:
    """A poll that opens a week after the one before; each attempt ends as told; it closes."""
    clock = runtime.clock
    assert isinstance(clock, MovableClock)
    slug = await make_open_poll(runtime, {**COACHING, "slug": f"week-{week}"})
    for status, code in receipts:
        await run_background(runtime)
        await tell(runtime, number, status, code)
        clock.advance(timedelta(hours=1, minutes=1))
    await close_poll(runtime, slug)
    clock.advance(WEEK - len(receipts) * timedelta(hours=1, minutes=1))


async def tell(runtime: Runtime, number: str, status: str, code: int | None) -> None:
    query = (
        "SELECT message_sid FROM delivery WHERE number=:number AND message_sid IS NOT NULL"
        " AND purpose='ask' ORDER BY id DESC LIMIT 1"
    )
    async with runtime.sessions() as session:
        sid = await session.scalar(text(query), {"number": number})
    await record_receipts(runtime, [ReceivedReceipt(str(sid), status, number, error_code=code)])


async def state(runtime: Runtime) -> str:
    async with runtime.sessions() as session:
        return str(await session.scalar(text("SELECT state FROM subscriber")))


async def evidence(runtime: Runtime) -> list[tuple[str, str]]:
    query = "SELECT kind, rule FROM consent_event ORDER BY id"
    async with runtime.sessions() as session:
        return [(row.kind, row.rule) for row in await session.execute(text(query))]


SOFT = ("undelivered", 30003)


async def test_three_polls_in_a_row_without_reaching_the_phone_suspend(
    runtime: Runtime, number: str
) -> None:
    for week in (1, 2):
        await poll_of_the_week(runtime, week, number, SOFT, SOFT)
        assert await state(runtime) == "active"
    await poll_of_the_week(runtime, 3, number, SOFT, SOFT)
    assert await state(runtime) == "suspended"
    assert (await evidence(runtime))[-1] == (
        "suspension",
        "the phone cannot be reached (code 30003); polls in a row: 3",
    )


async def test_the_second_try_of_the_third_poll_is_still_waited_for(
    runtime: Runtime, gateway: FakeGateway, number: str
) -> None:
    for week in (1, 2):
        await poll_of_the_week(runtime, week, number, SOFT, SOFT)
    await poll_of_the_week(runtime, 3, number, SOFT, ("delivered", None))
    assert await state(runtime) == "active"
    assert len(gateway.taken) == 6


async def test_a_poll_that_arrived_begins_the_count_anew(runtime: Runtime, number: str) -> None:
    for week, receipts in enumerate([[SOFT, SOFT], [SOFT, SOFT], [("delivered", None)]]):
        await poll_of_the_week(runtime, week, number, *receipts)
    for week in (4, 5):
        await poll_of_the_week(runtime, week, number, SOFT, SOFT)
    assert await state(runtime) == "active"


async def test_any_text_from_the_number_begins_the_count_anew(
    runtime: Runtime, number: str
) -> None:
    for week in (1, 2):
        await poll_of_the_week(runtime, week, number, SOFT, SOFT)
    await text_in(runtime, number, "thanks")
    await poll_of_the_week(runtime, 3, number, SOFT, SOFT)
    assert await state(runtime) == "active"


@pytest.mark.parametrize("code", [30007, 21612, 30024, 30001, 30410])
async def test_what_is_not_the_numbers_fault_suspends_nobody(
    runtime: Runtime, number: str, code: int
) -> None:
    for week in range(4):
        await poll_of_the_week(runtime, week, number, ("undelivered", code))
    assert await state(runtime) == "active"


async def test_an_unknown_handset_is_suspended_after_two_polls(
    runtime: Runtime, number: str
) -> None:
    await poll_of_the_week(runtime, 1, number, ("undelivered", 30005))
    assert await state(runtime) == "active"
    await poll_of_the_week(runtime, 2, number, ("undelivered", 30005))
    assert await state(runtime) == "suspended"


async def test_a_number_refused_as_wrong_is_suspended_at_once_and_not_asked_again(
    runtime: Runtime, gateway: FakeGateway, number: str
) -> None:
    gateway.fail = lambda _: RejectedError("no such number", code=21211)
    await make_open_poll(runtime)
    await run_background(runtime)
    assert await state(runtime) == "suspended"
    gateway.fail = lambda _: None
    await make_open_poll(runtime, {**COACHING, "slug": "next"})
    await run_background(runtime)
    assert gateway.taken == []
    assert (await read_results(runtime, "next"))["audience"] == 0


async def test_the_same_failure_told_again_suspends_once(
    runtime: Runtime, number: str, gateway: FakeGateway
) -> None:
    for week in (1, 2):
        await poll_of_the_week(runtime, week, number, ("undelivered", 30005))
    await tell(runtime, number, "undelivered", 30005)
    await tell(runtime, number, "failed", 30005)
    kinds = [kind for kind, _ in await evidence(runtime)]
    assert kinds == ["opt_in", "suspension"]


@pytest.mark.parametrize(("words", "said"), [("STAT", "you're in"), ("START", "you're in")])
async def test_joining_words_bring_a_suspended_member_back(
    runtime: Runtime, number: str, words: str, said: str
) -> None:
    for week in (1, 2):
        await poll_of_the_week(runtime, week, number, ("undelivered", 30005))
    assert said in str((await text_in(runtime, number, words)).body)
    assert await state(runtime) == "active"


async def test_an_answer_brings_a_suspended_member_back_and_the_count_begins_anew(
    runtime: Runtime, gateway: FakeGateway, number: str
) -> None:
    await poll_of_the_week(runtime, 1, number, ("undelivered", 30005))
    await make_open_poll(runtime, {**COACHING, "slug": "week-2"})
    await run_background(runtime)
    await tell(runtime, number, "undelivered", 30005)
    assert await state(runtime) == "suspended"
    await text_in(runtime, number, "no")
    assert await state(runtime) == "active"
    assert (await evidence(runtime))[-1][0] == "rejoin"
    assert (await read_results(runtime, "week-2"))["applicable"] == 1
    await close_poll(runtime, "week-2")
    await poll_of_the_week(runtime, 3, number, ("undelivered", 30005))
    assert await state(runtime) == "active"


async def test_a_stop_from_a_suspended_number_is_a_stop(runtime: Runtime, number: str) -> None:
    for week in (1, 2):
        await poll_of_the_week(runtime, week, number, ("undelivered", 30005))
    await text_in(runtime, number, "STOP")
    assert await state(runtime) == "opted_out"
