"""Making programs: what is refused, and what a change leaves alone."""

import pytest

from service.actions.programs import ProgramChanges, find_program, set_program
from service.domain.keywords import parse_keyword
from service.errors import InvalidInputError, NotFoundError, RefusedError
from service.runtime import Runtime
from tests.make import make_program


async def test_what_is_not_named_stays_as_it_is(runtime: Runtime) -> None:
    made = await make_program(runtime)
    changed = await set_program(runtime, "stat", ProgramChanges(timezone="America/Chicago"))
    assert changed.timezone == "America/Chicago"
    assert (changed.name, changed.keywords) == (made.name, {"STAT": "stat", "TOP10": "top-ten"})


async def test_keywords_are_replaced_as_a_whole(runtime: Runtime) -> None:
    await make_program(runtime)
    changed = await set_program(
        runtime, "stat", ProgramChanges(), [parse_keyword("POLL"), parse_keyword("STAT:old")]
    )
    assert changed.keywords == {"STAT": "old", "POLL": "poll"}


@pytest.mark.parametrize("word", ["STOP", "HELP", "START", "YES", "NO", "END"])
async def test_a_join_word_that_means_something_else_is_refused(
    runtime: Runtime, word: str
) -> None:
    with pytest.raises(InvalidInputError, match=word):
        await make_program(runtime, keywords=(word,))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": None}, "--name"),
        ({"help_contact": None}, "--help-contact"),
        ({"timezone": "Mars/Olympus"}, "no time zone"),
        ({"quiet_hours": "22:00-23:00"}, "within 09:00-20:00"),
        ({"monthly_texts": 9}, "at least 10"),
        ({"send_rate": 0}, "at least 1"),
        ({"name": " "}, "--name must not be empty"),
        ({"help_contact": ""}, "--help-contact must not be empty"),
        ({"sender": "3035550100"}, "--sender must be as Twilio writes it"),
        ({"sender": "+44123"}, "--sender must be as Twilio writes it"),
        ({"name": "Acmé “Stat”"}, "double the cost"),
        ({"keywords": ()}, "--keyword"),
    ],
)
async def test_a_wrong_value_is_named(
    runtime: Runtime, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        await make_program(runtime, **changes)


async def test_quiet_hours_are_kept_where_texts_really_leave(runtime: Runtime) -> None:
    changes = ProgramChanges(name="Acme Stat", sender="33550", help_contact="x", quiet_hours="none")
    with pytest.raises(RefusedError, match="quiet hours"):
        await set_program(runtime, "stat", changes, [parse_keyword("STAT")])


async def test_one_sender_serves_one_program(runtime: Runtime) -> None:
    await make_program(runtime)
    with pytest.raises(RefusedError, match="belongs to another program"):
        await make_program(runtime, "second")


async def test_a_program_need_not_be_named_while_it_is_the_only_one(runtime: Runtime) -> None:
    with pytest.raises(NotFoundError, match="no program yet"):
        await find_program(runtime, None)
    await make_program(runtime)
    assert (await find_program(runtime, None)).slug == "stat"
    await make_program(runtime, "other", sender="44660", keywords=("OTHER",))
    with pytest.raises(NotFoundError, match="several programs"):
        await find_program(runtime, None)
