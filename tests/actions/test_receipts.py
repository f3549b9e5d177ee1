"""Receipts come in any order, again and again, before our own record, or about nothing we know."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from service.actions.record_receipts import ReceivedReceipt, record_receipts
from service.domain.deliveries import DeliveryState
from service.runtime import Runtime
from service.store.deliveries import Move, move
from tests.make import make_ready_poll

SID = "SM" + "7" * 32
STORIES = {
    ("queued", "sent", "delivered"): "delivered",
    ("accepted", "queued", "sending", "sent", "undelivered"): "undelivered",
    ("queued", "failed"): "failed",
    ("sent", "undelivered", "delivered"): "delivered",
    ("sent",): "sent",
}
"""What a carrier may tell of one text, and where that ends."""

# A batch a line; None is our own record of the create's answer.
Step = Sequence[str] | None


@st.composite
def tellings(draw: st.DrawFn) -> tuple[tuple[str, ...], list[Step]]:
    """A story told in any order and repeatedly, in batches, our own record anywhere among it."""
    story = draw(st.sampled_from(list(STORIES)))
    more = draw(st.lists(st.sampled_from(story), max_size=5))
    told = draw(st.permutations([*story, *more]))
    cuts = sorted(draw(st.lists(st.integers(0, len(told)), max_size=3)))
    batches: list[Step] = [told[a:b] for a, b in pairwise([0, *cuts, len(told)]) if a < b]
    batches.insert(draw(st.integers(0, len(batches))), None)
    return story, batches


async def reset(runtime: Runtime, state: str) -> int:
    """The poll's one text, as it stands when its call is under way; gives its key."""
    async with runtime.sessions.begin() as session:
        await session.execute(text("DELETE FROM receipt"))
        key = await session.scalar(
            text(
                "UPDATE delivery SET state = :state, handed_at = :now, message_sid = NULL,"
                " error_code = NULL, settled_at = NULL WHERE purpose = 'ask' RETURNING id"
            ),
            {"state": state, "now": runtime.clock.now()},
        )
    return int(str(key))


async def stands(runtime: Runtime) -> tuple[str, str | None, int | None]:
    async with runtime.sessions() as session:
        query = "SELECT state, message_sid, error_code FROM delivery WHERE purpose = 'ask'"
        row = (await session.execute(text(query))).one()
    return row.state, row.message_sid, row.error_code


async def tell(runtime: Runtime, key: int, statuses: Sequence[str], number: str) -> None:
    await record_receipts(
        runtime,
        [
            ReceivedReceipt(
                SID, status, number, key, 30024 if status in ("failed", "undelivered") else None
            )
            for status in statuses
        ],
    )


@pytest.mark.parametrize("state", ["handed", "in_doubt", "ready", "leased"])
async def test_every_telling_of_a_story_ends_alike(runtime: Runtime, state: str) -> None:
    (number,) = await make_ready_poll(runtime, 1)
    loop = asyncio.get_running_loop()

    async def check(story: tuple[str, ...], steps: Sequence[Step]) -> None:
        key = await reset(runtime, state)
        for step in steps:
            if step is not None:
                await tell(runtime, key, step, number)
                continue
            async with runtime.sessions.begin() as session:
                taken = Move(key, DeliveryState.ACCEPTED, message_sid=SID)
                await move(session, [taken], runtime.clock.now())
        ended, sid, code = await stands(runtime)
        assert (ended, sid) == (STORIES[story], SID)
        assert code == (30024 if ended in ("failed", "undelivered") else None)

    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(tellings())
    def told(telling: tuple[tuple[str, ...], list[Step]]) -> None:
        asyncio.run_coroutine_threadsafe(check(*telling), loop).result(30)

    await asyncio.to_thread(told)


async def test_a_text_that_arrived_in_the_end_bears_no_error(runtime: Runtime) -> None:
    (number,) = await make_ready_poll(runtime, 1)
    key = await reset(runtime, "handed")
    for status in ("undelivered", "delivered"):
        await tell(runtime, key, [status], number)
    assert await stands(runtime) == ("delivered", SID, None)


async def test_receipts_of_a_create_that_another_call_repeated_leave_the_row_alone(
    runtime: Runtime,
) -> None:
    (number,) = await make_ready_poll(runtime, 1)
    key = await reset(runtime, "handed")
    await tell(runtime, key, ["sent"], number)
    await record_receipts(runtime, [ReceivedReceipt("SMother", "failed", number, key, 30024)])
    assert await stands(runtime) == ("sent", SID, None)


async def test_receipts_about_nothing_we_know_are_kept_and_change_nothing(
    runtime: Runtime,
) -> None:
    await make_ready_poll(runtime, 1)
    key = await reset(runtime, "handed")
    strangers = [
        ReceivedReceipt("SMnobody", "sent", "+13035550000"),
        ReceivedReceipt("SMnobody", "delivered", "+13035550000", delivery_id=key + 10_000),
    ]
    for _ in range(2):
        await record_receipts(runtime, strangers)
    assert await stands(runtime) == ("handed", None, None)
    async with runtime.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM receipt")) == 2


async def test_a_batch_may_speak_of_one_text_by_key_and_of_another_by_sid(
    runtime: Runtime,
) -> None:
    numbers = await make_ready_poll(runtime, 2)
    async with runtime.sessions.begin() as session:
        rows = await session.execute(
            text(
                "UPDATE delivery SET state = 'handed', handed_at = :now WHERE purpose = 'ask'"
                " RETURNING id, number"
            ),
            {"now": runtime.clock.now()},
        )
        keys = {row.number: row.id for row in rows}
    first, second = numbers
    await record_receipts(runtime, [ReceivedReceipt("SMa", "sent", first, keys[first])])
    await record_receipts(
        runtime,
        [
            ReceivedReceipt("SMb", "delivered", second, keys[second]),
            ReceivedReceipt("SMa", "delivered", first),
            ReceivedReceipt("SMb", "sent", second, keys[second]),
        ],
    )
    async with runtime.sessions() as session:
        query = "SELECT DISTINCT state FROM delivery WHERE purpose = 'ask'"
        assert list(await session.scalars(text(query))) == ["delivered"]
