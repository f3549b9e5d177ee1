"""Reminders and results texts: to whom they go, and that each goes once."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.actions import broadcasts
from service.actions.broadcasts import remind, send_results
from service.actions.jobs import run_due_job
from service.actions.polls import (
    cancel_poll,
    close_poll,
    create_poll,
    open_poll,
    pause_poll,
    publish_poll,
    resume_poll,
    schedule_poll,
)
from service.actions.results import read_results
from service.actions.show_polls import preview_poll
from service.errors import RefusedError, RejectedError
from service.runtime import Runtime
from tests.conftest import NOON, MovableClock
from tests.fakes import FakeGateway
from tests.make import (
    COACHING,
    a_number,
    make_members,
    make_open_poll,
    make_program,
    open_alerts,
    run_background,
    text_in,
)

HOUR = timedelta(hours=1)
REMINDED: dict[str, Any] = {**COACHING, "reminder": {"after_hours": 24}}
TOLD: dict[str, Any] = {
    **COACHING,
    "results_text": True,
    "results_at": (NOON + timedelta(days=3)).isoformat(),
}
REMINDER = (
    "Acme Stat reminder: this week's poll closes Thu 12pm MT. Does your organization provide "
    "leadership coaching/mentoring to clinicians? Reply YES, NO or N/A. Reply STOP to opt out."
)
LINK = "https://stat.example.org/polls/coaching"


async def asked(runtime: Runtime, people: int, content: dict[str, Any] = REMINDED) -> list[str]:
    """Members who have been sent the question."""
    await make_program(runtime, monthly_texts=30)
    numbers = await make_members(runtime, people)
    await make_open_poll(runtime, content)
    await run_background(runtime)
    return numbers


def sent(gateway: FakeGateway, words: str) -> list[str]:
    """Who was sent a text with these words, in order of their numbers."""
    return sorted(one.to for one in gateway.taken if words in one.body)


async def in_ledger(runtime: Runtime, purpose: str) -> dict[tuple[str, str], int]:
    query = "SELECT state, reason, count(*) FROM delivery WHERE purpose = :purpose GROUP BY 1, 2"
    async with runtime.sessions() as session:
        rows = await session.execute(text(query), {"purpose": purpose})
        return {(state, reason): people for state, reason, people in rows}


async def test_who_has_not_answered_is_reminded_once(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_program(runtime, monthly_texts=30)
    numbers = await make_members(runtime, 8)
    unreachable, yes, no, unclear, spam, stopped, silent, vague = numbers
    gateway.fail = lambda one: RejectedError("no", code=21612) if one.to == unreachable else None
    await make_open_poll(runtime, REMINDED)
    await run_background(runtime)
    gateway.fail = lambda _: None
    for number, words in (
        (yes, "yes"),
        (no, "no"),
        (unclear, "purple"),
        (spam, "this is spam"),
        (stopped, "STOP"),
        (vague, "thanks"),
    ):
        await text_in(runtime, number, words)
    await make_newcomer(runtime)
    clock.advance(24 * HOUR - timedelta(minutes=1))
    await run_background(runtime)
    assert sent(gateway, "reminder") == []
    clock.advance(timedelta(minutes=1))
    await run_background(runtime)
    assert sent(gateway, REMINDER) == sent(gateway, "reminder") == [silent, vague]
    await remind(runtime, 1)
    await run_background(runtime)
    assert len(sent(gateway, "reminder")) == 2
    assert "counted" in str((await text_in(runtime, silent, "no")).body)
    found = await read_results(runtime, "coaching")
    assert (found["audience"], found["sent"], found["applicable"]) == (8, 7, 2 + 1)


async def make_newcomer(runtime: Runtime) -> None:
    """Somebody who joins while the poll is open: it is not for them."""
    await text_in(runtime, a_number(99), "STAT")


async def test_who_answers_before_the_reminder_leaves_gets_none(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    early, late, gone = await asked(runtime, 3, {**COACHING, "reminder": {"after_hours": 7}})
    clock.advance(7 * HOUR)  # 19:00: written, but not sent before the morning
    await run_background(runtime)
    assert await in_ledger(runtime, "reminder") == {("deferred", "quiet hours"): 3}
    await text_in(runtime, early, "yes")
    await text_in(runtime, gone, "STOP")
    clock.advance(15 * HOUR)
    await run_background(runtime)
    assert sent(gateway, "reminder") == [late]
    assert await in_ledger(runtime, "reminder") == {
        ("accepted", ""): 1,
        ("cancelled", "answered"): 1,
        ("cancelled", "opted out"): 1,
    }


async def test_a_reminder_waits_while_the_poll_is_paused(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    numbers = await asked(runtime, 2)
    await pause_poll(runtime, "coaching")
    clock.advance(24 * HOUR)
    await run_background(runtime)
    assert sent(gateway, "reminder") == []
    await resume_poll(runtime, "coaching")
    await run_background(runtime)
    assert sent(gateway, "reminder") == numbers


@pytest.mark.parametrize("end", [close_poll, cancel_poll])
async def test_a_poll_that_is_over_reminds_nobody(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, end: Any
) -> None:
    await asked(runtime, 2)
    await end(runtime, "coaching")
    clock.advance(24 * HOUR)
    await run_background(runtime)
    assert await in_ledger(runtime, "reminder") == {}


@pytest.mark.parametrize("end", [close_poll, cancel_poll])
async def test_reminders_that_wait_when_the_poll_ends_are_not_sent(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, end: Any
) -> None:
    await asked(runtime, 2, {**COACHING, "reminder": {"after_hours": 7}})
    clock.advance(7 * HOUR)
    await run_background(runtime)
    await end(runtime, "coaching")
    ((state, _),) = await in_ledger(runtime, "reminder")
    assert state == "cancelled"
    clock.advance(15 * HOUR)
    await run_background(runtime)
    assert sent(gateway, "reminder") == []


async def test_a_job_that_dies_midway_is_resumed_and_nobody_is_texted_twice(
    runtime: Runtime,
    gateway: FakeGateway,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = await asked(runtime, 7)
    monkeypatch.setattr(broadcasts, "CHUNK_PEOPLE", 2)
    whole, calls = broadcasts.broadcast_chunk, 0

    async def dies_third(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        done = await whole(*arguments, **options)
        if calls == 3:
            raise OSError("the process is gone")
        return done

    monkeypatch.setattr(broadcasts, "broadcast_chunk", dies_third)
    clock.advance(24 * HOUR)
    with pytest.raises(OSError, match="gone"):
        await remind(runtime, 1)
    assert await in_ledger(runtime, "reminder") == {("ready", ""): 4}
    await run_background(runtime)
    assert sent(gateway, "reminder") == numbers


async def test_a_broadcast_begun_anew_writes_nothing_twice(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    numbers = await asked(runtime, 3)
    clock.advance(24 * HOUR)
    await run_background(runtime)
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE broadcast SET after_id = 0, done_at = NULL"))
    await remind(runtime, 1)
    await run_background(runtime)
    assert sent(gateway, "reminder") == numbers


async def test_who_was_asked_something_newer_is_not_reminded_of_the_old(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await asked(runtime, 2)
    clock.advance(HOUR)
    await make_open_poll(runtime, {**COACHING, "slug": "newer"}, beside=True)
    await run_background(runtime)
    clock.advance(23 * HOUR)
    await run_background(runtime)
    assert sent(gateway, "reminder") == []


async def test_a_poll_opened_so_late_that_its_reminder_follows_the_close_has_none(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_program(runtime, monthly_texts=30)
    await make_members(runtime, 1)
    await create_poll(runtime, REMINDED, program=None, actor="tests")
    now = clock.now()
    await schedule_poll(runtime, "coaching", opens_at=now, closes_at=now + 30 * HOUR)
    clock.advance(20 * HOUR)
    await run_background(runtime)
    await open_poll(runtime, "coaching")
    await run_background(runtime)
    async with runtime.sessions() as session:
        assert not await session.scalar(text("SELECT count(*) FROM job WHERE name = 'remind'"))


async def test_a_reminder_is_frozen_and_shown_when_scheduling(
    runtime: Runtime, clock: MovableClock
) -> None:
    await make_program(runtime, monthly_texts=30)
    await create_poll(runtime, REMINDED, program=None, actor="tests")
    assert (await preview_poll(runtime, "coaching"))["reminder"] == {
        "after_hours": 24,
        "text": None,
    }
    times = {"opens_at": clock.now(), "closes_at": clock.now() + 48 * HOUR}
    previewed = await preview_poll(runtime, "coaching", **times)
    assert previewed["reminder"]["text"]["body"] == REMINDER
    assert previewed["reminder"]["text"]["segments"] == 2
    with pytest.raises(RefusedError, match="its reminder, 24 hours after it opens"):
        await schedule_poll(runtime, "coaching", opens_at=NOON + HOUR, closes_at=NOON + 25 * HOUR)
    await schedule_poll(runtime, "coaching", **times)
    assert await preview_poll(runtime, "coaching") == {
        **previewed,
        "state": "scheduled",
        "opens_at": times["opens_at"].isoformat(),
        "closes_at": times["closes_at"].isoformat(),
    }
    # Moved, it names its new close.
    await schedule_poll(
        runtime, "coaching", opens_at=NOON + HOUR, closes_at=NOON + timedelta(hours=50, minutes=30)
    )
    moved = await preview_poll(runtime, "coaching")
    assert "closes Thu 2:30pm MT" in moved["reminder"]["text"]["body"]


async def test_a_question_that_leaves_no_room_for_its_reminder_is_refused(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_program(runtime, monthly_texts=30)
    await create_poll(runtime, REMINDED, program=None, actor="tests")
    monkeypatch.setattr(broadcasts, "LONGEST_TEXT", 100)
    with pytest.raises(RefusedError, match=r"the reminder has \d+ characters; at most 100"):
        await schedule_poll(runtime, "coaching", opens_at=NOON + HOUR, closes_at=NOON + 48 * HOUR)
    assert (await preview_poll(runtime, "coaching"))["state"] == "draft"


async def answered(runtime: Runtime) -> list[str]:
    """Of six, those who answered: one in Spanish; the others were silent, stopped, too late."""
    yes, spanish, silent, stopped, late, unclear = await asked(runtime, 6, TOLD)
    async with runtime.sessions.begin() as session:
        query = "UPDATE subscriber SET language = 'es' WHERE number = :number"
        await session.execute(text(query), {"number": spanish})
    for number in (yes, spanish, stopped):
        await text_in(runtime, number, "yes")
    await text_in(runtime, stopped, "STOP")
    await text_in(runtime, unclear, "purple")
    await close_poll(runtime, "coaching")
    await text_in(runtime, late, "no")
    assert silent
    return [yes, spanish]


async def test_who_answered_is_told_of_the_results_once_at_their_time(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    yes, spanish = await answered(runtime)
    await publish_poll(runtime, "coaching", actor="tests")
    clock.advance(timedelta(days=3) - timedelta(minutes=1))
    await run_background(runtime)
    assert sent(gateway, LINK) == []
    clock.advance(timedelta(minutes=1))
    await run_background(runtime)
    assert sent(gateway, f"Acme Stat: The results of the poll you answered: {LINK}") == [yes]
    assert sent(gateway, f"Acme Stat: Los resultados de su encuesta: {LINK}") == [spanish]
    await publish_poll(runtime, "coaching", actor="tests")  # a correction is no new text
    await send_results(runtime, 1)
    await run_background(runtime)
    assert len(sent(gateway, LINK)) == 2
    assert await open_alerts(runtime) == []


async def test_results_not_published_in_time_go_out_when_they_are(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    people = await answered(runtime)
    clock.advance(timedelta(days=3))
    await run_background(runtime)
    assert sent(gateway, LINK) == []
    ((kind, key, sentence),) = await open_alerts(runtime)
    assert (kind, key) == ("late_poll", "results:1")
    assert sentence == (
        "The results text of poll coaching was due Fri Apr 2 12pm MT, but nothing is published. "
        "It goes out with: pollwire poll publish coaching"
    )
    clock.advance(HOUR)
    await publish_poll(runtime, "coaching", actor="tests")
    assert await open_alerts(runtime) == []
    await run_background(runtime)
    assert sent(gateway, LINK) == sorted(people)


async def test_results_keep_quiet_hours_and_are_withheld_from_who_has_left(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    yes, spanish = await answered(runtime)
    clock.advance(timedelta(days=3, hours=7))  # Friday 19:00
    await publish_poll(runtime, "coaching", actor="tests")
    await run_background(runtime)
    assert await in_ledger(runtime, "results") == {("deferred", "quiet hours"): 2}
    await text_in(runtime, yes, "STOP")
    clock.advance(timedelta(days=2, hours=16))  # Monday 11:00
    await run_background(runtime)
    assert sent(gateway, LINK) == [spanish]


async def test_a_cancelled_poll_has_no_results_and_nobody_is_alerted(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await asked(runtime, 2, TOLD)
    await cancel_poll(runtime, "coaching")
    clock.advance(timedelta(days=4))
    while await run_due_job(runtime):
        pass
    assert await open_alerts(runtime) == []
    assert sent(gateway, LINK) == []


async def test_results_before_the_close_are_refused(runtime: Runtime) -> None:
    await make_program(runtime, monthly_texts=30)
    await create_poll(runtime, TOLD, program=None, actor="tests")
    with pytest.raises(RefusedError, match="results text"):
        await schedule_poll(
            runtime, "coaching", opens_at=NOON + HOUR, closes_at=NOON + timedelta(days=4)
        )
