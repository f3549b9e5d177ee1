"""Lost joins and stops: as of their own time, and nothing decided since is undone."""

from datetime import timedelta

from sqlalchemy import text

from service.actions.backfill import (
    backfill,
)
from service.actions.opt_out import opt_out
from service.actions.receive_texts import receive_texts
from service.runtime import Runtime
from service.sms.gateway import ListedText
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.lost import MINUTE, Lost, answer_of, asked_members, scalar, state_of
from tests.make import (
    COACHING,
    SENDER,
    a_number,
    a_text,
    make_members,
    make_open_poll,
    make_program,
    run_background,
    text_in,
)


async def test_an_older_join_does_not_undo_a_later_stop(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    await make_program(runtime)
    by_text, by_staff = a_number(1), a_number(2)
    lost.text(by_text, "STAT")
    lost.text(by_staff, "STAT")
    clock.advance(MINUTE)
    await text_in(runtime, by_text, "STOP")
    await opt_out(runtime, by_staff, actor="tests")
    clock.advance(MINUTE)
    assert await backfill(runtime, gateway) == 2
    await run_background(runtime)
    assert await state_of(runtime, by_text) == "opted_out"
    assert await state_of(runtime, by_staff) is None
    assert gateway.taken == []
    assert (await text_in(runtime, by_staff, "hello")).body is None


async def test_an_older_stop_holds_unless_the_handset_came_back(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    back, answered = await asked_members(runtime, 2)
    await make_program(runtime, "other", name="Other Poll", sender="44660", keywords=("OTHER",))
    await text_in(runtime, back, "OTHER", to="44660")
    clock.advance(MINUTE)
    lost.text(back, "STOP")
    lost.text(answered, "stop")
    clock.advance(MINUTE)
    await text_in(runtime, back, "STAT")  # "already in", as far as we knew
    await text_in(runtime, answered, "no")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    await run_background(runtime)
    states = """
        SELECT string_agg(p.slug || ' ' || s.state, ', ' ORDER BY p.slug)
        FROM subscriber s JOIN program p ON p.id = s.program_id WHERE s.number_key = :key
    """
    key = runtime.key_of(back)
    assert await scalar(runtime, states, key=key) == "other opted_out, stat active"
    assert await state_of(runtime, answered) == "opted_out"
    assert [sent.to for sent in gateway.taken] == [answered]
    evidence = "SELECT count(*) FROM consent_event WHERE kind = 'opt_out'"
    assert await scalar(runtime, evidence) == 2
    gateway.taken.clear()
    await make_open_poll(runtime, {**COACHING, "slug": "second", "program": "stat"}, beside=True)
    await run_background(runtime)
    assert [sent.to for sent in gateway.taken] == [back]


async def test_a_stop_right_after_a_join_is_not_taken_for_an_older_one(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    await make_program(runtime)
    number = a_number(1)
    clock.advance(timedelta(seconds=1) - timedelta(microseconds=clock.now().microsecond))
    clock.advance(timedelta(milliseconds=900))
    joined = a_text(number, "STAT")
    await receive_texts(runtime, [joined])
    at = clock.now().replace(microsecond=0)
    gateway.inbound = [ListedText(joined.message_sid, number, SENDER, "STAT", at)]
    clock.advance(timedelta(milliseconds=50))
    lost.text(number, "STOP")
    clock.advance(MINUTE)
    assert await backfill(runtime, gateway) == 1
    assert await state_of(runtime, number) == "opted_out"


async def test_a_join_listed_right_after_a_stop_brings_back(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    await make_program(runtime)
    (number,) = await make_members(runtime, 1)
    clock.advance(MINUTE)
    lost.text(number, "STOP")
    clock.advance(timedelta(seconds=3))
    joined = lost.text(number, "STAT")
    await receive_texts(runtime, [joined])
    clock.advance(MINUTE)
    assert await backfill(runtime, gateway) == 1
    assert await state_of(runtime, number) == "active"


async def test_a_vote_cast_before_a_stop_counts_and_gets_no_answer(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    (number,) = await asked_members(runtime)
    lost.text(number, "no")
    clock.advance(MINUTE)
    await text_in(runtime, number, "STOP")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    await run_background(runtime)
    assert await answer_of(runtime, number) == "no"
    assert await state_of(runtime, number) == "opted_out"
    assert gateway.taken == []


async def test_a_stop_that_comes_while_an_answer_waits_drops_it(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    stranger = a_number(9)
    await make_program(runtime)
    lost.text(stranger, "what is this?")
    lost.text(stranger, "HELP")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    await text_in(runtime, stranger, "STOP")
    await run_background(runtime)
    (sent,) = gateway.taken  # help is for anybody
    assert sent.body.startswith("Acme Stat weekly polls. Help:")


async def test_a_lost_stop_cancels_whatever_waits_for_the_number(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    (number,) = await asked_members(runtime)
    purposes = ("reminder", "results")
    async with runtime.sessions.begin() as session:
        for purpose in purposes:
            await session.execute(
                text(
                    "INSERT INTO delivery (dedupe_key, program_id, subscriber_id, poll_id,"
                    " number_key, number, purpose, body, segments, state, not_before, created_at)"
                    " SELECT CAST(:key AS text), program_id, subscriber_id, poll_id, number_key,"
                    " number, CAST(:key AS text), body, 1, 'deferred', not_before, created_at"
                    " FROM delivery WHERE number = :number AND purpose = 'ask'"
                ),
                {"key": purpose, "number": number},
            )
    lost.text(number, "STOP")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    query = "SELECT count(*) FROM delivery WHERE state = 'cancelled' AND reason = 'opted out'"
    assert await scalar(runtime, query) == len(purposes)
