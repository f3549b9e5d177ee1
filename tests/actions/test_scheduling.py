"""What a poll may not be scheduled with: too many texts, too few hours, another poll beside it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.actions.polls import close_poll, create_poll, open_poll, schedule_poll
from service.actions.programs import ProgramChanges, set_program
from service.errors import RefusedError
from service.runtime import Runtime
from tests.conftest import NOON
from tests.make import COACHING, make_members, make_open_poll, make_program, text_in

QUESTION = {"text": "Coaching?", "kind": "yes_no"}
OPEN = {"text": "Tell us how.", "kind": "open"}
HONOLULU, TOLL_FREE = "+18082000100", "+18002000100"


async def schedule(
    runtime: Runtime, hours: float, *, opens_at: datetime = NOON, **content: Any
) -> None:
    slug = await create_poll(
        runtime, {**COACHING, "slug": "poll", **content}, program=None, actor="tests"
    )
    closes_at = opens_at + timedelta(hours=hours)
    await schedule_poll(runtime, slug, opens_at=opens_at, closes_at=closes_at)


@pytest.mark.parametrize(
    ("stated", "questions", "needed"),
    [
        (10, [QUESTION], None),
        (10, [QUESTION, OPEN], 15),
        (15, [QUESTION, OPEN], None),
        (15, [QUESTION, OPEN, OPEN], 20),
        (15, [QUESTION, {**OPEN, "when": "yes"}, {**OPEN, "when": "no"}], None),
    ],
)
async def test_a_poll_that_comes_to_more_than_the_stated_number_is_refused(
    runtime: Runtime, stated: int, questions: list[Any], needed: int | None
) -> None:
    await make_program(runtime, monthly_texts=stated)
    if needed is None:
        await schedule(runtime, 48, questions=questions)
        return
    with pytest.raises(RefusedError, match=f"--program stat --monthly-texts {needed}"):
        await schedule(runtime, 48, questions=questions)


async def test_less_than_a_scheduled_poll_comes_to_cannot_be_stated(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_open_poll(runtime)
    with pytest.raises(RefusedError, match="less than the 15 that poll 'coaching' comes to"):
        await set_program(runtime, "stat", ProgramChanges(monthly_texts=10))
    assert (await set_program(runtime, "stat", ProgramChanges(timezone="UTC"))).monthly_texts == 15


async def test_a_closing_before_the_last_recipients_hours_is_refused(runtime: Runtime) -> None:
    """Noon in Denver is eight in the morning in Honolulu."""
    await make_program(runtime)
    await make_members(runtime, 3)
    for index in range(2):
        await text_in(runtime, f"+1808200010{index}", "STAT")
    with pytest.raises(RefusedError, match=r"before 2 of its people .* by 2021-03-30 20:00 UTC"):
        await schedule(runtime, 2)
    await schedule(runtime, 2.1, slug="longer")


async def test_a_poll_over_a_long_weekend_reaches_nobody(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    friday_evening = datetime(2021, 5, 29, 0, tzinfo=UTC)
    with pytest.raises(RefusedError, match=r"before 1 of its people .* by 2021-06-01 16:00 UTC"):
        await schedule(runtime, 80, opens_at=friday_evening)  # Monday is Memorial Day


async def test_whoever_is_not_in_the_audience_does_not_count(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    await text_in(runtime, HONOLULU, "STAT")
    async with runtime.sessions.begin() as session:
        await session.execute(
            text(
                """UPDATE subscriber SET attributes = '{"city": "x"}' WHERE number LIKE '+1303%'"""
            )
        )
    await schedule(runtime, 1, audience={"city": "x"})
    await text_in(runtime, HONOLULU, "STOP")
    await schedule(runtime, 1, slug="all", opens_at=NOON + timedelta(hours=1))


async def test_a_zone_the_member_gave_settles_it(runtime: Runtime) -> None:
    await make_program(runtime)
    await text_in(runtime, HONOLULU, "STAT")
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE subscriber SET timezone = 'America/Denver'"))
    await schedule(runtime, 1)


async def test_who_can_be_texted_at_no_hour_does_not_stand_in_the_way(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    await text_in(runtime, TOLL_FREE, "STAT")
    await schedule(runtime, 1)


async def test_without_quiet_hours_any_closing_will_do(runtime: Runtime) -> None:
    await make_program(runtime, quiet_hours="none")
    await text_in(runtime, HONOLULU, "STAT")
    await schedule(runtime, 0.5)


async def test_two_polls_at_a_time_for_the_same_people_are_refused(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_members(runtime, 3)
    hour = timedelta(hours=1)
    await schedule(runtime, 4, opens_at=NOON + 2 * hour, slug="first")
    for begins, hours in ((NOON, 3), (NOON + 3 * hour, 1), (NOON + 5 * hour, 4), (NOON, 8)):
        with pytest.raises(
            RefusedError,
            match=r"'first', which is scheduled from 2021-03-30 20:00 to 2021-03-31 00:00 UTC, "
            r"would ask 3 of the same people",
        ):
            await schedule(runtime, hours, opens_at=begins, slug=f"at-{begins:%H}-{hours}")
    await schedule(runtime, 2, opens_at=NOON, slug="before")
    await schedule(runtime, 24, opens_at=NOON + 6 * hour, slug="after")
    await schedule_poll(runtime, "first", opens_at=NOON + 3 * hour, closes_at=NOON + 5 * hour)


async def test_of_two_polls_scheduled_at_one_moment_one_is_refused(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    done = await asyncio.gather(
        schedule(runtime, 4, slug="one"), schedule(runtime, 4, slug="two"), return_exceptions=True
    )
    assert sorted(type(outcome) for outcome in done if outcome) == [RefusedError]


async def test_a_poll_cannot_be_opened_early_beside_another(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    await make_open_poll(runtime)
    await schedule(runtime, 24, opens_at=NOON + timedelta(days=3), slug="next")
    with pytest.raises(RefusedError, match="'coaching', which is open from"):
        await open_poll(runtime, "next")
    await close_poll(runtime, "coaching")
    await open_poll(runtime, "next")


async def test_polls_for_different_people_may_be_open_together(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_members(runtime, 2)
    await schedule(runtime, 4, slug="ours", audience={"city": "x"})
    await schedule(runtime, 4, slug="others", audience={"city": "y"})
    async with runtime.sessions.begin() as session:
        await session.execute(text("""UPDATE subscriber SET attributes = '{"city": "x"}'"""))
    with pytest.raises(RefusedError, match=r"'ours', .* 2 of the same people"):
        await schedule(runtime, 4, slug="all")
