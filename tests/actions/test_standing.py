"""The gate where texts leave: what the ledger says of a number, counted under its lock."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.actions import dispatch
from service.actions.dispatch import CallSlots, dispatch_batch
from service.actions.jobs import run_due_job
from service.actions.people import describe_person
from service.actions.polls import close_poll
from service.actions.results import read_results
from service.errors import RejectedError
from service.runtime import Runtime
from tests.conftest import NOON, MovableClock
from tests.fakes import FakeGateway
from tests.make import (
    COACHING,
    a_number,
    make_members,
    make_open_poll,
    make_program,
    run_background,
    text_in,
)

QUESTION = {"text": "Coaching?", "kind": "yes_no"}
NUMBER = a_number(0)


async def ask(runtime: Runtime, slug: str, **content: Any) -> dict[str, Any]:
    """A one-question poll to everybody, all of it sent that may be; gives the newest text's row."""
    poll = {**COACHING, "questions": [QUESTION], "slug": slug, **content}
    await make_open_poll(runtime, poll, beside=True)
    await run_background(runtime)
    return await newest(runtime)


async def newest(runtime: Runtime, number: str = NUMBER) -> dict[str, Any]:
    texts: list[dict[str, Any]] = (await describe_person(runtime, number))["texts"]
    return texts[-1]


async def execute(runtime: Runtime, statement: str, **values: Any) -> None:
    async with runtime.sessions.begin() as session:
        await session.execute(text(statement), values)


async def write(runtime: Runtime, purpose: str) -> None:
    """A further text about the newest poll to each of its people, due now."""
    await execute(
        runtime,
        """
        INSERT INTO delivery (dedupe_key, program_id, subscriber_id, poll_id, number_key, number,
                              purpose, body, segments, state, not_before, created_at)
        SELECT concat(dedupe_key, ' ', CAST(:purpose AS text)), program_id, subscriber_id, poll_id,
               number_key, number, :purpose, :purpose, 1, 'ready', :now, :now
        FROM delivery WHERE purpose = 'ask' AND poll_id = (SELECT max(id) FROM poll)
        """,
        purpose=purpose,
        now=runtime.clock.now(),
    )


async def test_every_check_and_its_time_stand_on_the_row(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    row = await ask(runtime, "first")
    assert row["state"] == "accepted"
    assert row["checks"] == (
        "active; poll open; month 2/15; day 1/3; hour 2/10; "
        "hours 10:00-18:00: Tue 12:00 America/Denver"
    )
    checked_at = datetime.fromisoformat(row["checked_at"])
    assert timedelta() <= checked_at - NOON < timedelta(minutes=1)


async def test_the_stated_monthly_number_is_kept(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_program(runtime, monthly_texts=10)
    await make_members(runtime, 1)  # the confirmation is the first of ten
    for week in range(4):
        await ask(runtime, f"week-{week}")
        await text_in(runtime, NUMBER, "yes")
        await text_in(runtime, NUMBER, "no")  # a change of mind is answered, too
        clock.advance(timedelta(days=7))
    assert len(gateway.taken) == 3
    row = await newest(runtime)
    assert (row["state"], row["reason"]) == ("cancelled", "monthly number reached")
    assert row["checks"].startswith("active; poll open; month 11/10;")
    assert (await read_results(runtime, "week-3"))["not_sent"] == {"monthly number reached": 1}
    clock.advance(timedelta(days=2, hours=1))  # the joining and the first week are 30 days ago
    # Two weeks of three texts, one that told of the close, and this one.
    assert (await ask(runtime, "after"))["checks"].startswith("active; poll open; month 8/10;")


async def test_the_months_of_two_programs_are_counted_apart(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_program(runtime, monthly_texts=10)
    await make_program(runtime, "other", sender="44660", keywords=("OTHER",))
    await make_members(runtime, 1)
    for _ in range(9):
        await text_in(runtime, NUMBER, "help")
    await text_in(runtime, NUMBER, "OTHER", to="44660")
    clock.advance(timedelta(hours=2))
    assert (await ask(runtime, "here", program="stat"))["reason"] == "monthly number reached"
    assert (await ask(runtime, "there", program="other"))["state"] == "accepted"


async def test_a_text_that_never_left_counts_in_no_month(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    gateway.fail = lambda _: RejectedError("no such number", code=21211)
    assert (await ask(runtime, "first"))["state"] == "failed"
    gateway.fail = lambda _: None
    assert "month 2/15; day 1/3;" in (await ask(runtime, "second"))["checks"]


async def test_a_fourth_text_in_a_day_waits_over_all_programs(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_program(runtime)
    await make_program(runtime, "other", sender="44660", keywords=("OTHER",))
    await make_members(runtime, 1)
    await text_in(runtime, NUMBER, "OTHER", to="44660")
    for index in range(3):
        await ask(runtime, f"poll-{index}", program="stat")
        clock.advance(timedelta(hours=1))
    row = await ask(runtime, "poll-3", program="other")
    assert (row["state"], row["reason"]) == ("deferred", "3 texts in 24 hours")
    waits = datetime.fromisoformat(row["not_before"]) - NOON
    assert timedelta(hours=24) <= waits < timedelta(hours=24, minutes=1)
    assert (await read_results(runtime, "poll-3"))["not_sent"] == {"3 texts in 24 hours": 1}
    clock.advance(timedelta(hours=20, minutes=50))
    await run_background(runtime)
    assert len(gateway.taken) == 3
    clock.advance(timedelta(minutes=11))
    await run_background(runtime)
    assert len(gateway.taken) == 4


async def test_texts_to_one_number_that_are_due_together_count_each_other(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    for index in range(5):
        poll = {**COACHING, "questions": [QUESTION], "slug": f"poll-{index}"}
        await make_open_poll(runtime, poll, beside=True)
    while await run_due_job(runtime):
        pass
    slots = CallSlots(25)
    while await dispatch_batch(runtime, gateway, slots):
        pass
    assert len(gateway.taken) == 3


async def test_who_texted_ten_times_in_an_hour_is_asked_when_it_is_over(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_program(runtime, monthly_texts=50)
    await make_members(runtime, 1)
    for _ in range(9):
        await text_in(runtime, NUMBER, "help")
    row = await ask(runtime, "poll")
    assert (row["state"], row["reason"]) == ("deferred", "10 texts in an hour")
    clock.advance(timedelta(hours=1))
    await run_background(runtime)
    assert len(gateway.taken) == 1


async def test_an_opt_out_said_to_another_program_holds(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_program(runtime)
    await make_program(runtime, "other", sender="44660", keywords=("OTHER",))
    await make_members(runtime, 1)
    await text_in(runtime, NUMBER, "OTHER", to="44660")
    await text_in(runtime, NUMBER, "STOP", to="44660")
    # Back in one program only: a handset joins what it names.
    await text_in(runtime, NUMBER, "STAT")
    await ask(runtime, "here", program="stat")
    await ask(runtime, "there", program="other")
    assert [sent.sender for sent in gateway.taken] == ["33550"]


@pytest.mark.parametrize(
    "evidence",
    [
        "INSERT INTO opt_out SELECT number_key, :later, :later FROM subscriber LIMIT 1",
        "UPDATE subscriber SET state = 'opted_out', state_at = :later WHERE program_id = 2",
    ],
)
async def test_evidence_of_an_opt_out_is_enough_whatever_the_members_row_says(
    runtime: Runtime, gateway: FakeGateway, evidence: str
) -> None:
    await make_program(runtime)
    await make_program(runtime, "other", sender="44660", keywords=("OTHER",))
    await make_members(runtime, 1)
    await text_in(runtime, NUMBER, "OTHER", to="44660")
    await execute(runtime, evidence, later=NOON + timedelta(minutes=5))
    row = await ask(runtime, "poll", program="stat")
    assert (row["state"], row["reason"]) == ("cancelled", "opted out")
    assert gateway.taken == []


async def test_a_review_in_one_program_holds_back_the_other(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_program(runtime, "other", sender="44660", keywords=("OTHER",))
    await make_members(runtime, 1)
    await text_in(runtime, NUMBER, "OTHER", to="44660")
    await text_in(runtime, NUMBER, "When is the annual meeting?", to="44660")
    assert (await ask(runtime, "poll", program="stat"))["reason"] == "in review"


async def test_a_stop_between_claim_and_handing_over_stops_the_text(
    runtime: Runtime, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_program(runtime)
    numbers = await make_members(runtime, 2)
    await make_open_poll(runtime)
    while await run_due_job(runtime):
        pass

    hand_over = dispatch._hand_over

    async def stop_first(*arguments: Any) -> Any:
        await text_in(runtime, numbers[0], "STOP")
        return await hand_over(*arguments)

    monkeypatch.setattr(dispatch, "_hand_over", stop_first)
    assert await dispatch_batch(runtime, gateway, CallSlots(25))
    assert [sent.to for sent in gateway.taken] == [numbers[1]]
    assert (await newest(runtime, numbers[0]))["reason"] == "opted out"


async def test_a_stop_that_waits_for_the_lock_comes_after_the_text_and_not_within(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    await make_open_poll(runtime)
    while await run_due_job(runtime):
        pass
    await asyncio.gather(
        dispatch_batch(runtime, gateway, CallSlots(25)), text_in(runtime, NUMBER, "STOP")
    )
    await run_background(runtime)
    row = await newest(runtime)
    assert (row["state"], len(gateway.taken)) in {("accepted", 1), ("cancelled", 0)}


async def test_a_poll_on_a_holiday_goes_out_the_day_after(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    clock.advance(datetime(2021, 11, 25, 19, tzinfo=UTC) - NOON)  # Thanksgiving, noon in Denver
    row = await ask(runtime, "poll")
    assert (row["state"], row["reason"]) == ("deferred", "quiet hours")
    assert row["not_before"] == "2021-11-26T17:00:00+00:00"
    assert "(Thanksgiving Day)" in row["checks"]
    clock.advance(timedelta(hours=22, seconds=1))
    await run_background(runtime)
    assert 0 <= 8 * 3600 - gateway.taken[0].validity_seconds < 60


async def test_a_text_whose_hours_come_after_the_close_is_dropped_at_once(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    await make_open_poll(runtime)
    clock.advance(timedelta(hours=46))  # Thursday 10:00; the poll closes at 12:00
    await execute(runtime, "UPDATE subscriber SET timezone = 'Pacific/Honolulu'")
    await run_background(runtime)
    row = await newest(runtime)
    assert (row["state"], row["reason"]) == ("cancelled", "its hours come after the close")


async def test_reminders_stop_at_the_close_and_results_begin(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    await ask(runtime, "poll")
    await write(runtime, "reminder")
    await run_background(runtime)
    await execute(runtime, "DELETE FROM delivery WHERE purpose = 'reminder'")
    await close_poll(runtime, "poll")
    await write(runtime, "reminder")
    await write(runtime, "results")
    await run_background(runtime)
    assert [sent.body for sent in gateway.taken][1:] == ["reminder", "results"]


async def test_a_stop_ends_reminders_and_results_that_wait(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    await ask(runtime, "poll")
    await write(runtime, "reminder")
    await write(runtime, "results")
    await text_in(runtime, NUMBER, "STOP")
    found = await describe_person(runtime, NUMBER)
    assert [row["state"] for row in found["texts"]] == ["accepted", "cancelled", "cancelled"]


async def test_an_alert_goes_to_a_phone_that_joined_nothing_unless_it_said_stop(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_program(runtime)
    clock.advance(timedelta(hours=12))  # midnight in Denver
    alert = """
        INSERT INTO delivery (dedupe_key, program_id, number_key, number, purpose, body, segments,
                              state, not_before, created_at)
        VALUES (:key, 1, :number_key, :number, 'alert', :key, 1, 'ready', :now, :now)
        """
    values = {"number": NUMBER, "number_key": runtime.key_of(NUMBER)}
    await execute(runtime, alert, key="first", now=runtime.clock.now(), **values)
    await run_background(runtime)
    await text_in(runtime, NUMBER, "STOP")
    await execute(runtime, alert, key="second", now=runtime.clock.now(), **values)
    await run_background(runtime)
    assert [sent.body for sent in gateway.taken] == ["first"]
