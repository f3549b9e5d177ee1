"""The weekly slot: each week is filled once, at its local time, or staff are told why not."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from service.actions import fill_slots as filling
from service.actions.fill_slots import fill_slots
from service.actions.jobs import run_due_job
from service.actions.polls import cancel_poll, create_poll, schedule_poll
from service.actions.programs import ProgramChanges, find_program, set_program
from service.actions.show_polls import list_all_polls, preview_poll
from service.actions.slot_queue import (
    add_to_queue,
    list_queue,
    move_in_queue,
    remove_from_queue,
)
from service.actions.slots import clear_slot, set_slot, show_slot, skip_day, unskip_day
from service.domain.holidays import holiday_on
from service.errors import InvalidInputError, RefusedError
from service.runtime import Runtime
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import COACHING, make_members, make_program, open_alerts, run_background

HOUR = timedelta(hours=1)
SLOT = "Tuesdays 10:00 America/Denver"
DENVER = ZoneInfo("America/Denver")
NEXT = datetime(2021, 4, 6, 16, tzinfo=UTC)
"""The first slot after the tests' present, Tuesday noon: 10:00 on the next Tuesday."""


def go_to(clock: MovableClock, instant: datetime) -> None:
    clock.advance(instant - clock.now())


async def make_slot(runtime: Runtime, *slugs: str, **hours: int) -> None:
    """A program with the slot, two members, and drafts in the queue."""
    await make_program(runtime)
    await make_members(runtime, 2)
    await set_slot(runtime, None, SLOT, actor="cli:ana", **hours)
    for slug in slugs:
        await queue_draft(runtime, slug)


async def queue_draft(runtime: Runtime, slug: str, **fields: Any) -> None:
    await create_poll(runtime, {**COACHING, "slug": slug, **fields}, program=None, actor="tests")
    await add_to_queue(runtime, slug, actor="tests")


async def polls(runtime: Runtime) -> dict[str, str]:
    return {poll["slug"]: poll["state"] for poll in await list_all_polls(runtime, None)}


async def occurrences(runtime: Runtime) -> list[tuple[str, str, str, datetime]]:
    query = "SELECT day, local_time, state, opens_at FROM slot_occurrence ORDER BY opens_at"
    async with runtime.sessions() as session:
        return [
            (str(row.day), str(row.local_time), row.state, row.opens_at)
            for row in await session.execute(text(query))
        ]


async def acknowledge(runtime: Runtime) -> None:
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE alert SET acknowledged_at = now()"))


async def test_a_slot_is_stored_in_full_and_shown(runtime: Runtime) -> None:
    await make_program(runtime, slot="tue 10:00")
    assert (await find_program(runtime, None)).slot == SLOT
    await set_slot(runtime, None, "Wednesdays 11:30 America/Chicago", actor="a", open_hours=48)
    shown = await show_slot(runtime, None, weeks=2)
    assert {name: shown[name] for name in ("slot", "open_hours", "lead_hours", "queue")} == {
        "slot": "Wednesdays 11:30 America/Chicago",
        "open_hours": 48,
        "lead_hours": 24,
        "queue": [],
    }
    assert shown["next"][0] == {
        "opens_at": "2021-03-31T16:30:00+00:00",
        "local": "Wed 2021-03-31 11:30",
        "timezone": "America/Chicago",
        "closes_at": "2021-04-02T16:30:00+00:00",
        "state": "planned",
        "poll": None,
        "poll_state": None,
        "skipped": None,
    }
    await clear_slot(runtime, None, actor="a")
    assert (await show_slot(runtime, None))["next"] == []


@pytest.mark.parametrize(
    ("typed", "hours", "said"),
    [
        ("Tuesdays 09:00 America/Denver", {}, "outside the program's hours"),
        ("Sundays 11:00 America/Denver", {}, "nobody is texted on a Sunday"),
        ("Tuesdays ten America/Denver", {}, "no time of the day"),
        (SLOT, {"open_hours": 168}, "--open-hours must be from 1 to 167"),
        (SLOT, {"open_hours": 0}, "--open-hours must be from 1 to 167"),
        (SLOT, {"lead_hours": 200}, "--lead-hours must be from 1 to 167"),
    ],
)
async def test_a_slot_that_cannot_be_is_refused(
    runtime: Runtime, typed: str, hours: Mapping[str, int], said: str
) -> None:
    await make_program(runtime)
    with pytest.raises((InvalidInputError, RefusedError), match=said):
        await set_slot(runtime, None, typed, actor="a", **hours)
    assert (await find_program(runtime, None)).slot == ""


async def test_a_program_cannot_be_given_hours_that_silence_its_slot(runtime: Runtime) -> None:
    await make_slot(runtime)
    with pytest.raises(RefusedError, match="outside the program's hours, 11:00-18:00"):
        await set_program(runtime, "stat", ProgramChanges(quiet_hours="11:00-18:00"))
    with pytest.raises(RefusedError, match="outside the program's hours"):
        await set_program(runtime, "stat", ProgramChanges(slot="Tuesdays 20:00"))
    changes = ProgramChanges(quiet_hours="11:00-18:00", slot="Tuesdays 12:00 America/Denver")
    assert (await set_program(runtime, "stat", changes)).slot == changes.slot


async def test_the_first_draft_is_scheduled_at_lead_time_once(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_slot(runtime, "first", "second", open_hours=48)
    go_to(clock, NEXT - 24 * HOUR - timedelta(minutes=1))
    await fill_slots(runtime)
    assert await polls(runtime) == {"first": "draft", "second": "draft"}
    assert await occurrences(runtime) == [("2021-04-06", "10:00:00", "planned", NEXT)]
    clock.advance(timedelta(minutes=1))
    workers = [replace(runtime, name=f"worker {index}") for index in range(4)]
    await asyncio.gather(*(fill_slots(worker) for worker in workers))
    await fill_slots(runtime)
    assert await polls(runtime) == {"first": "scheduled", "second": "draft"}
    assert await occurrences(runtime) == [("2021-04-06", "10:00:00", "filled", NEXT)]
    shown = await preview_poll(runtime, "first")
    assert (shown["opens_at"], shown["closes_at"], shown["confirmed_people"]) == (
        NEXT.isoformat(),
        (NEXT + 48 * HOUR).isoformat(),
        2,
    )
    assert [draft["slug"] for draft in await list_queue(runtime, None)] == ["second"]
    weeks = (await show_slot(runtime, None, weeks=3))["next"]
    assert [(week["local"], week["state"], week["poll"]) for week in weeks] == [
        ("Tue 2021-04-06 10:00", "filled", "first"),
        ("Tue 2021-04-13 10:00", "planned", "second"),
        ("Tue 2021-04-20 10:00", "planned", None),
    ]
    go_to(clock, NEXT)
    await run_background(runtime)
    assert (await polls(runtime))["first"] == "open"


async def test_a_job_that_dies_while_it_fills_leaves_nothing_half_done(
    runtime: Runtime, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_slot(runtime, "first", "second")
    go_to(clock, NEXT - HOUR)
    whole = filling.schedule_within

    async def dies(*arguments: Any, **options: Any) -> None:
        await whole(*arguments, **options)
        raise OSError("the process is gone")

    monkeypatch.setattr(filling, "schedule_within", dies)
    with pytest.raises(OSError, match="gone"):
        await fill_slots(runtime)
    assert await polls(runtime) == {"first": "draft", "second": "draft"}
    monkeypatch.setattr(filling, "schedule_within", whole)
    await fill_slots(runtime)
    await fill_slots(runtime)
    assert await polls(runtime) == {"first": "scheduled", "second": "draft"}


async def test_staff_hear_of_an_empty_slot_two_days_before_and_at_lead_time(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_slot(runtime)
    go_to(clock, NEXT - 48 * HOUR - timedelta(minutes=1))
    await fill_slots(runtime)
    assert await open_alerts(runtime) == []
    clock.advance(timedelta(minutes=1))
    await fill_slots(runtime)
    assert await open_alerts(runtime) == [
        (
            "empty_slot",
            "slot:1:2021-04-06:48h",
            "The slot of Tue Apr 6 10am MT has no poll. Queue a draft: pollwire slot queue add "
            "SLUG",
        )
    ]
    await acknowledge(runtime)
    clock.advance(HOUR)
    await fill_slots(runtime)
    assert await open_alerts(runtime) == []
    go_to(clock, NEXT - 24 * HOUR)
    await fill_slots(runtime)
    await fill_slots(runtime)
    ((_, key, _),) = await open_alerts(runtime)
    assert key == "slot:1:2021-04-06:24h"
    # A draft that comes at the last moment still takes the slot, and that settles the matter.
    go_to(clock, NEXT - timedelta(minutes=2))
    await queue_draft(runtime, "late")
    await fill_slots(runtime)
    assert await polls(runtime) == {"late": "scheduled"}
    assert await open_alerts(runtime) == []


async def test_an_empty_week_stays_empty_and_the_next_one_is_seen_to(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_slot(runtime)
    go_to(clock, NEXT - HOUR)
    await fill_slots(runtime)
    go_to(clock, NEXT + HOUR)
    await queue_draft(runtime, "next-week")
    await fill_slots(runtime)
    assert [(day, state) for day, _, state, _ in await occurrences(runtime)] == [
        ("2021-04-06", "empty"),
        ("2021-04-13", "planned"),
    ]
    assert (await polls(runtime)) == {"next-week": "draft"}


async def test_a_slot_missed_while_nothing_ran_is_told(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_slot(runtime, "first")
    await fill_slots(runtime)
    go_to(clock, NEXT + HOUR)
    await fill_slots(runtime)
    ((kind, key, sentence),) = await open_alerts(runtime)
    assert (kind, key) == ("empty_slot", "slot:1:2021-04-06:passed")
    assert "Tue Apr 6 10am MT passed without a poll" in sentence
    assert await polls(runtime) == {"first": "draft"}


async def test_a_draft_that_is_refused_is_told_and_none_is_taken(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_slot(runtime)
    told = {"results_text": True, "results_at": NEXT.isoformat()}
    await queue_draft(runtime, "hasty", **told)
    await queue_draft(runtime, "second")
    go_to(clock, NEXT - 24 * HOUR)
    for _ in range(3):
        await fill_slots(runtime)
    assert await polls(runtime) == {"hasty": "draft", "second": "draft"}
    ((kind, key, sentence),) = await open_alerts(runtime)
    assert (kind, key) == ("empty_slot", "slot:1:2021-04-06:refused")
    assert sentence.startswith("The slot of Tue Apr 6 10am MT could not take hasty: poll 'hasty'")
    assert "before it closes" in sentence
    await acknowledge(runtime)
    await fill_slots(runtime)
    assert await open_alerts(runtime) == []
    await remove_from_queue(runtime, "hasty")
    await fill_slots(runtime)
    assert await polls(runtime) == {"hasty": "draft", "second": "scheduled"}


async def test_days_that_staff_skip_have_no_poll_unless_they_think_again(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_slot(runtime, "first")
    await skip_day(runtime, None, date(2021, 4, 6), actor="cli:ana")
    go_to(clock, NEXT - HOUR)
    await fill_slots(runtime)
    assert await polls(runtime) == {"first": "draft"}
    assert await open_alerts(runtime) == []
    shown = (await show_slot(runtime, None, weeks=2))["next"]
    assert [(week["state"], week["skipped"], week["poll"]) for week in shown] == [
        ("skipped", "skipped by staff", None),
        ("planned", None, "first"),
    ]
    await unskip_day(runtime, None, date(2021, 4, 6))
    await fill_slots(runtime)
    assert await polls(runtime) == {"first": "scheduled"}
    with pytest.raises(RefusedError, match="has poll 'first' already; cancel it"):
        await skip_day(runtime, None, date(2021, 4, 6), actor="cli:ana")


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2021, 4, 7), "2021-04-07 is a Wednesday; the slot is on Tuesdays"),
        (date(2021, 3, 30), "is past"),
        (date(2021, 4, 13), "is skipped already"),
    ],
)
async def test_a_day_without_a_slot_cannot_be_skipped(
    runtime: Runtime, day: date, said: str
) -> None:
    await make_slot(runtime)
    await skip_day(runtime, None, date(2021, 4, 13), actor="a")
    with pytest.raises(RefusedError, match=said):
        await skip_day(runtime, None, day, actor="a")
    with pytest.raises(RefusedError, match="2021-04-06 is not skipped"):
        await unskip_day(runtime, None, date(2021, 4, 6))
    await clear_slot(runtime, None, actor="a")
    with pytest.raises(RefusedError, match="has no weekly slot"):
        await skip_day(runtime, None, day, actor="a")


async def test_a_draft_that_staff_schedule_at_that_moment_keeps_their_times(
    runtime: Runtime, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait for the slot to have taken it, and then move it."""
    await make_slot(runtime, "a")
    go_to(clock, NEXT - 24 * HOUR)
    whole, theirs = filling.queued_drafts, NEXT + 48 * HOUR
    scheduling: list[asyncio.Task[None]] = []

    async def then_scheduled(*arguments: Any) -> Any:
        drafts = await whole(*arguments)
        schedule = schedule_poll(runtime, "a", opens_at=theirs, closes_at=theirs + 24 * HOUR)
        scheduling.append(asyncio.create_task(schedule))
        return drafts

    with monkeypatch.context() as patched:
        patched.setattr(filling, "queued_drafts", then_scheduled)
        await fill_slots(runtime)
    await asyncio.gather(*scheduling)
    (poll,) = await list_all_polls(runtime, None)
    assert datetime.fromisoformat(poll["opens_at"]) == theirs
    assert await open_alerts(runtime) == []


async def test_a_poll_that_staff_set_for_the_day_takes_its_slot(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_slot(runtime, "queued")
    await create_poll(runtime, {**COACHING, "slug": "by-hand"}, program=None, actor="tests")
    await schedule_poll(
        runtime, "by-hand", opens_at=NEXT + 2 * HOUR, closes_at=NEXT + timedelta(days=1)
    )
    go_to(clock, NEXT - HOUR)
    await fill_slots(runtime)
    assert await polls(runtime) == {"by-hand": "scheduled", "queued": "draft"}
    (week, *_) = (await show_slot(runtime, None, weeks=1))["next"]
    assert (week["state"], week["poll"]) == ("filled", "by-hand")


async def test_another_slot_is_seen_to_from_the_next_round_on(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_slot(runtime, "first", "second")
    await fill_slots(runtime)
    await set_slot(runtime, None, "Thursdays 12:00 America/New_York", actor="a")
    await fill_slots(runtime)
    assert [(day, at, state) for day, at, state, _ in await occurrences(runtime)] == [
        ("2021-04-01", "12:00:00", "planned")
    ]
    # One change of the hour on the very day does not make for a second poll.
    clock.advance(30 * HOUR)
    await fill_slots(runtime)
    await set_slot(runtime, None, "Thursdays 13:00 America/New_York", actor="a")
    await fill_slots(runtime)
    assert await polls(runtime) == {"first": "scheduled", "second": "draft"}


async def test_a_poll_cancelled_after_it_was_taken_leaves_its_week_to_staff(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_slot(runtime, "first", "second")
    go_to(clock, NEXT - HOUR)
    await fill_slots(runtime)
    await cancel_poll(runtime, "first")
    await fill_slots(runtime)
    assert await polls(runtime) == {"first": "cancelled", "second": "draft"}
    (week, *_) = (await show_slot(runtime, None, weeks=1))["next"]
    assert (week["poll"], week["poll_state"]) == ("first", "cancelled")


async def test_the_queue_keeps_the_order_it_is_given(runtime: Runtime) -> None:
    await make_slot(runtime, "a", "b", "c")

    async def order() -> list[str]:
        listed = await list_queue(runtime, None)
        assert [draft["position"] for draft in listed] == list(range(1, len(listed) + 1))
        return [draft["slug"] for draft in listed]

    await move_in_queue(runtime, "c", 1)
    assert await order() == ["c", "a", "b"]
    await move_in_queue(runtime, "c", 3)
    assert await order() == ["a", "b", "c"]
    await move_in_queue(runtime, "b", 2)
    await remove_from_queue(runtime, "a")
    assert await order() == ["b", "c"]
    await add_to_queue(runtime, "a", actor="tests")
    assert await order() == ["b", "c", "a"]
    now = runtime.clock.now()
    await schedule_poll(runtime, "b", opens_at=now, closes_at=now + HOUR)
    await cancel_poll(runtime, "c")
    assert await order() == ["a"]


async def test_what_cannot_wait_is_refused(runtime: Runtime) -> None:
    await make_slot(runtime, "a", open_hours=24)
    with pytest.raises(RefusedError, match="in the queue already"):
        await add_to_queue(runtime, "a", actor="tests")
    with pytest.raises(RefusedError, match="places 1 to 1, not 2"):
        await move_in_queue(runtime, "a", 2)
    with pytest.raises(RefusedError, match="its reminder, 24 hours after it opens"):
        await queue_draft(runtime, "reminding", reminder={"after_hours": 24})
    for act in (remove_from_queue(runtime, "reminding"), move_in_queue(runtime, "reminding", 1)):
        with pytest.raises(RefusedError, match="is not in the queue"):
            await act
    await cancel_poll(runtime, "a")
    with pytest.raises(RefusedError, match="is cancelled: only a draft can wait"):
        await add_to_queue(runtime, "a", actor="tests")


async def test_each_program_has_its_own_slot_zone_and_queue(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_slot(runtime, "here")
    await make_program(runtime, "east", sender="44660", keywords=("EAST",))
    await set_slot(runtime, "east", "Wednesdays 10:00 America/New_York", actor="a")
    content = {**COACHING, "slug": "there", "program": "east"}
    await create_poll(runtime, content, program=None, actor="tests")
    await add_to_queue(runtime, "there", actor="tests")
    await fill_slots(runtime)
    assert await polls(runtime) == {"here": "draft", "there": "scheduled"}
    assert (await preview_poll(runtime, "there"))["opens_at"] == "2021-03-31T14:00:00+00:00"
    go_to(clock, NEXT - HOUR)
    await fill_slots(runtime)
    assert (await polls(runtime))["here"] == "scheduled"


@pytest.mark.parametrize("day", ["Mondays", "Tuesdays"])
async def test_a_year_of_slots_opens_at_ten_every_week_but_on_holidays(
    runtime: Runtime, day: str
) -> None:
    clock = MovableClock(datetime(2026, 1, 1, 7, tzinfo=UTC))
    year = replace(runtime, clock=clock)
    await make_program(year)
    await make_members(year, 1)
    await set_slot(year, None, f"{day} 10:00 America/Denver", actor="a")
    for week in range(52):
        await queue_draft(year, f"week-{week}")
    end = datetime(2027, 1, 1, tzinfo=UTC)
    next_job = text("SELECT min(run_at) FROM job WHERE state = 'ready' AND run_at > :now")
    while clock.now() < end:
        await fill_slots(year)
        while await run_due_job(year):
            pass
        now = clock.now()
        async with year.sessions() as session:
            due = await session.scalar(next_job, {"now": now})
        go_to(clock, min(due or end, now + 12 * HOUR))
    async with year.sessions() as session:
        rows = await session.execute(text("SELECT opened_at FROM poll ORDER BY opened_at"))
        opened = [row.opened_at.astimezone(DENVER) for row in rows if row.opened_at]
    first = date(2026, 1, 5) if day == "Mondays" else date(2026, 1, 6)
    weeks = [first + timedelta(days=7 * week) for week in range(52)]
    expected = [one for one in weeks if not holiday_on(one)]
    assert [moment.date() for moment in opened] == expected
    assert len(opened) == (47 if day == "Mondays" else 52)
    assert {moment.time().replace(second=0, microsecond=0) for moment in opened} == {time(10)}
    assert len(await list_queue(year, None)) == 52 - len(expected)
    assert isinstance(year.gateway, FakeGateway)
    assert await open_alerts(year) == []
