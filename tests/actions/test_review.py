"""Texts that wait for a person: read by staff, taught, released, opted out, or lapsed."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from service.actions.polls import close_poll, publish_poll
from service.actions.results import read_results
from service.actions.review import (
    assign,
    lapse_holds,
    list_waiting,
    opt_out_sender,
    release,
    teach_alias,
)
from service.errors import NotFoundError, RefusedError
from service.runtime import Runtime
from tests.conftest import MovableClock
from tests.make import make_members, make_open_poll, make_program, run_background, text_in


async def asked(runtime: Runtime, people: int) -> list[str]:
    await make_program(runtime)
    numbers = await make_members(runtime, people)
    await make_open_poll(runtime)
    await run_background(runtime)
    return numbers


async def votes(runtime: Runtime) -> list[int]:
    found = await read_results(runtime, "coaching")
    return [line["count"] for line in found["questions"][0]["choices"]]


async def flags(runtime: Runtime, number: str) -> tuple[bool, bool, str]:
    async with runtime.sessions() as session:
        query = text("SELECT hold, review, state FROM subscriber WHERE number = :number")
        row = (await session.execute(query, {"number": number})).one()
    return row.hold, row.review, row.state


async def test_a_recode_counts_at_once_and_keeps_who_and_what(runtime: Runtime) -> None:
    number, *_ = await asked(runtime, 2)
    await text_in(runtime, number, "purple")
    (waiting,) = await list_waiting(runtime, poll="coaching")
    assert (waiting["waiting"], waiting["question"], waiting["text"]) == ("review", 1, "purple")
    assert number[-4:] in waiting["number"]
    assert number not in str(waiting)
    assert (await read_results(runtime, "coaching"))["waiting"] == 1
    await assign(runtime, waiting["id"], "Yes", actor="cli:ana")
    assert await votes(runtime) == [1, 0]
    assert (await read_results(runtime, "coaching"))["waiting"] == 0
    assert await flags(runtime, number) == (False, False, "active")
    assert await list_waiting(runtime) == []
    await assign(runtime, waiting["id"], "B", actor="cli:ben")
    assert await votes(runtime) == [0, 1]
    async with runtime.sessions() as session:
        rows = await session.execute(
            text("SELECT value, actor, rule FROM answer_change ORDER BY id")
        )
        assert [tuple(row) for row in rows] == [
            ("yes", "cli:ana", "staff recode"),
            ("no", "cli:ben", "staff recode"),
        ]
    assert (await read_results(runtime, "coaching"))["excluded"] == {}


async def test_a_recode_to_no_voids_the_follow_up(runtime: Runtime) -> None:
    (number,) = await asked(runtime, 1)
    await text_in(runtime, number, "yes")
    await text_in(runtime, number, "a monthly circle")
    async with runtime.sessions() as session:
        first = await session.scalar(text("SELECT id FROM inbound_text WHERE body = 'yes'"))
    await assign(runtime, int(str(first)), "no", actor="cli:ana")
    found = await read_results(runtime, "coaching")
    assert [question["applicable"] for question in found["questions"]] == [1, 0]


async def test_a_taught_alias_reads_the_waiting_texts_and_the_coming_ones(runtime: Runtime) -> None:
    one, two, other, later = await asked(runtime, 4)
    await text_in(runtime, one, "purple")
    await text_in(runtime, two, "Purple!")
    await text_in(runtime, other, "blue")
    assert [row["alike"] for row in await list_waiting(runtime)] == [2, 2, 1]
    assert await teach_alias(runtime, "coaching", "purple", "yes", actor="cli:ana") == 2
    await text_in(runtime, later, "PURPLE")
    assert await votes(runtime) == [3, 0]
    assert [row["text"] for row in await list_waiting(runtime)] == ["blue"]


@pytest.mark.parametrize("phrase", ["stop", "HELP", "Stat", "no", "!!"])
async def test_an_alias_that_means_something_already_is_refused(
    runtime: Runtime, phrase: str
) -> None:
    await asked(runtime, 1)
    with pytest.raises(RefusedError):
        await teach_alias(runtime, "coaching", phrase, "yes", actor="cli:ana")


async def test_released_people_are_texted_again(runtime: Runtime) -> None:
    await make_program(runtime)
    held, reviewed = await make_members(runtime, 2)
    await text_in(runtime, held, "this is spam")
    await text_in(runtime, reviewed, "When is the annual meeting?")
    hold, review = await list_waiting(runtime)
    assert (hold["waiting"], review["waiting"]) == ("hold", "review")
    for row in (hold, review):
        await release(runtime, row["id"], actor="cli:ana")
    assert await flags(runtime, held) == (False, False, "active")
    with pytest.raises(RefusedError, match="does not wait"):
        await release(runtime, hold["id"], actor="cli:ana")
    async with runtime.sessions() as session:
        events = await session.scalars(text("SELECT kind FROM consent_event WHERE actor='cli:ana'"))
        assert list(events) == ["release"]
    await make_open_poll(runtime)
    await run_background(runtime)
    assert (await read_results(runtime, "coaching"))["sent"] == 2


async def test_one_of_two_waiting_texts_released_still_waits(runtime: Runtime) -> None:
    (number,) = await asked(runtime, 1)
    await text_in(runtime, number, "purple")
    await text_in(runtime, number, "this is spam")
    hold, review = await list_waiting(runtime)
    await release(runtime, review["id"], actor="cli:ana")
    assert await flags(runtime, number) == (True, False, "active")
    await opt_out_sender(runtime, hold["id"], actor="cli:ana")
    assert await flags(runtime, number) == (False, False, "opted_out")
    assert await list_waiting(runtime) == []


async def test_a_valid_answer_ends_the_review_but_not_a_hold(runtime: Runtime) -> None:
    (number,) = await asked(runtime, 1)
    await text_in(runtime, number, "purple")
    await text_in(runtime, number, "is this spam")
    await text_in(runtime, number, "no")
    assert await flags(runtime, number) == (True, False, "active")
    assert [row["waiting"] for row in await list_waiting(runtime)] == ["hold"]


async def test_a_hold_lapses_into_an_opt_out_and_a_review_never_does(runtime: Runtime) -> None:
    await make_program(runtime)
    held, reviewed = await make_members(runtime, 2)
    await text_in(runtime, held, "this is spam")
    await text_in(runtime, reviewed, "When is the annual meeting?")
    assert isinstance(runtime.clock, MovableClock)
    runtime.clock.advance(timedelta(days=2, hours=23))
    assert await lapse_holds(runtime) == 0
    runtime.clock.advance(timedelta(hours=2))  # Friday, three business days after Tuesday
    assert await lapse_holds(runtime) == 1
    runtime.clock.advance(timedelta(days=60))
    assert await lapse_holds(runtime) == 0
    assert (await flags(runtime, held))[2] == "opted_out"
    assert await flags(runtime, reviewed) == (False, True, "active")


async def test_what_cannot_be_assigned_says_why(runtime: Runtime) -> None:
    (number,) = await asked(runtime, 1)
    with pytest.raises(NotFoundError, match="no text 9999"):
        await assign(runtime, 9999, "yes", actor="cli:ana")
    await text_in(runtime, number, "purple")
    (waiting,) = await list_waiting(runtime)
    with pytest.raises(RefusedError, match="not on the ballot: yes, no, N/A"):
        await assign(runtime, waiting["id"], "perhaps", actor="cli:ana")
    await close_poll(runtime, "coaching")
    await text_in(runtime, number, "no")
    async with runtime.sessions() as session:
        late = await session.scalar(text("SELECT id FROM inbound_text WHERE outcome = 'late'"))
    with pytest.raises(RefusedError, match="after the close"):
        await assign(runtime, int(str(late)), "no", actor="cli:ana")


async def test_a_recode_after_publication_shows_in_the_next_version_only(
    runtime: Runtime,
) -> None:
    (number,) = await asked(runtime, 1)
    await text_in(runtime, number, "purple")
    await close_poll(runtime, "coaching")
    await publish_poll(runtime, "coaching", actor="cli:ana")
    (waiting,) = await list_waiting(runtime)
    await assign(runtime, waiting["id"], "yes", actor="cli:ana")
    query = text("SELECT results->>'applicable' AS n FROM publication ORDER BY version")
    async with runtime.sessions() as session:
        assert [row.n for row in await session.execute(query)] == ["0"]
    await publish_poll(runtime, "coaching", actor="cli:ana")
    async with runtime.sessions() as session:
        assert [row.n for row in await session.execute(query)] == ["0", "1"]
