"""Texts in: joining, leaving, answering, each once and in order."""

import asyncio

from sqlalchemy import text

from service.actions.receive_texts import receive_texts
from service.actions.results import read_results
from service.runtime import Runtime
from tests.make import (
    COACHING,
    a_number,
    a_text,
    make_members,
    make_open_poll,
    make_program,
    run_background,
    text_in,
)


async def scalar(runtime: Runtime, query: str, **values: object) -> object:
    async with runtime.sessions() as session:
        return await session.scalar(text(query), values)


async def asked_members(runtime: Runtime, people: int = 1) -> list[str]:
    await make_program(runtime)
    numbers = await make_members(runtime, people)
    await make_open_poll(runtime)
    await run_background(runtime)
    return numbers


async def test_a_keyword_joins_and_is_kept_as_evidence(runtime: Runtime) -> None:
    await make_program(runtime)
    response = await text_in(runtime, a_number(1), "Top10!")
    assert response.body is not None
    assert response.body.startswith("Acme Stat weekly polls: you're in.")
    row = "SELECT campaign || ' ' || kind || ' ' || raw_words FROM consent_event"
    assert await scalar(runtime, row) == "top-ten opt_in Top10!"
    assert await scalar(runtime, "SELECT wording FROM consent_event") == response.body


async def test_already_in_is_said_once_a_day(runtime: Runtime) -> None:
    await make_program(runtime)
    (number,) = await make_members(runtime, 1)
    assert "already in" in str((await text_in(runtime, number, "stat")).body)
    assert (await text_in(runtime, number, "STAT")).body is None


async def test_yes_with_a_reason_answers_both_questions(runtime: Runtime) -> None:
    (number,) = await asked_members(runtime)
    response = await text_in(runtime, number, "Yes - we have a coach on staff")
    assert response.body == "Acme Stat: Thank you, your answer is counted."
    found = await read_results(runtime, "coaching")
    assert found["questions"][0]["choices"][0]["count"] == 1
    assert found["questions"][1]["applicable"] == 1


async def test_the_follow_up_goes_only_to_those_who_said_yes(runtime: Runtime) -> None:
    yes, no = await asked_members(runtime, 2)
    assert "Tell us how" in str((await text_in(runtime, yes, "YES")).body)
    assert "counted" in str((await text_in(runtime, no, "no")).body)


async def test_no_while_the_follow_up_waits_changes_the_vote(runtime: Runtime) -> None:
    (number,) = await asked_members(runtime)
    await text_in(runtime, number, "yes")
    response = await text_in(runtime, number, "No")
    assert response.body == "Acme Stat: Thank you, we have changed your answer to NO."
    choices = (await read_results(runtime, "coaching"))["questions"][0]["choices"]
    assert [line["count"] for line in choices] == [0, 1]
    assert await scalar(runtime, "SELECT count(*) FROM answer_change") == 2


async def test_changing_back_voids_nothing_that_was_not_there_and_asks_anew(
    runtime: Runtime,
) -> None:
    (number,) = await asked_members(runtime)
    await text_in(runtime, number, "yes")
    await text_in(runtime, number, "by a monthly circle")
    await text_in(runtime, number, "no")
    assert await scalar(runtime, "SELECT count(*) FROM answer WHERE void") == 1
    assert "Tell us how" in str((await text_in(runtime, number, "yes")).body)
    assert await scalar(runtime, "SELECT count(*) FROM answer WHERE void") == 1


async def test_a_repeated_sid_gets_the_stored_answer_and_changes_nothing(runtime: Runtime) -> None:
    (number,) = await asked_members(runtime)
    original = a_text(number, "yes")
    first, again = await receive_texts(runtime, [original, original])
    (later,) = await receive_texts(runtime, [original])
    assert first == again == later
    assert await scalar(runtime, "SELECT count(*) FROM inbound_text WHERE body = 'yes'") == 1


async def test_texts_of_one_number_in_one_batch_are_decided_in_order(runtime: Runtime) -> None:
    await make_program(runtime)
    number = a_number(5)
    bodies = ["STAT", "stop", "hello", "STAT", "help"]
    responses = await receive_texts(runtime, [a_text(number, body) for body in bodies])
    said = [(response.body or "")[:30] for response in responses]
    assert said[0].startswith("Acme Stat weekly polls: you're")
    assert said[1].startswith("Acme Stat: You are unsubscribe")
    assert said[2] == ""
    assert said[3].startswith("Acme Stat weekly polls: you're")
    assert said[4].startswith("Acme Stat weekly polls. Help:")
    assert await scalar(runtime, "SELECT state FROM subscriber") == "active"


async def test_stop_ends_every_program_and_only_the_handset_comes_back(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_program(runtime, "other", name="Other Poll", sender="44660", keywords=("OTHER",))
    number = a_number(1)
    await text_in(runtime, number, "STAT")
    await text_in(runtime, number, "OTHER", to="44660")
    await text_in(runtime, number, "please stop texting me")
    assert await scalar(runtime, "SELECT count(*) FROM subscriber WHERE state='opted_out'") == 2
    await text_in(runtime, number, "OTHER", to="44660")
    states = "SELECT string_agg(state, ' ' ORDER BY program_id) FROM subscriber"
    assert await scalar(runtime, states) == "opted_out active"


async def test_stop_and_join_of_two_programs_in_one_batch(runtime: Runtime) -> None:
    await make_program(runtime)
    await make_program(runtime, "other", name="Other Poll", sender="44660", keywords=("OTHER",))
    number = a_number(1)
    texts = [
        a_text(number, "STAT"),
        a_text(number, "OTHER", to="44660"),
        a_text(number, "STOP", to="44660"),
        a_text(number, "anybody there?"),
    ]
    responses = await receive_texts(runtime, texts)
    assert responses[3].body is None
    assert await scalar(runtime, "SELECT count(*) FROM subscriber WHERE state='opted_out'") == 2


async def test_stop_from_a_stranger_is_confirmed_once_and_remembered(runtime: Runtime) -> None:
    await make_program(runtime)
    assert "unsubscribed" in str((await text_in(runtime, a_number(1), "STOP")).body)
    assert (await text_in(runtime, a_number(1), "STOP")).body is None
    assert await scalar(runtime, "SELECT count(*) FROM opt_out") == 1
    assert await scalar(runtime, "SELECT count(*) FROM consent_event") == 2


async def test_stop_to_an_address_without_a_program_still_counts(runtime: Runtime) -> None:
    await make_program(runtime)
    (number,) = await make_members(runtime, 1)
    assert (await text_in(runtime, number, "STOP", to="99999")).body is None
    assert await scalar(runtime, "SELECT state FROM subscriber") == "opted_out"


async def test_start_from_a_stranger_needs_a_yes(runtime: Runtime) -> None:
    await make_program(runtime)
    number = a_number(1)
    assert "Reply YES" in str((await text_in(runtime, number, "Start")).body)
    assert await scalar(runtime, "SELECT state FROM subscriber") == "pending"
    assert "you're in" in str((await text_in(runtime, number, "Yes")).body)
    assert await scalar(runtime, "SELECT state FROM subscriber") == "active"


async def test_yes_from_a_stranger_never_opts_in(runtime: Runtime) -> None:
    await make_program(runtime)
    assert "did not understand" in str((await text_in(runtime, a_number(1), "YES")).body)
    assert (await text_in(runtime, a_number(1), "YES")).body is None
    assert await scalar(runtime, "SELECT count(*) FROM subscriber") == 0


async def test_an_unreadable_answer_is_asked_about_twice_at_most(runtime: Runtime) -> None:
    (number,) = await asked_members(runtime)
    said = [(await text_in(runtime, number, body)).body for body in ("purple", "blue", "green")]
    assert [text is not None and "Please reply YES" in text for text in said] == [True, True, False]
    assert await scalar(runtime, "SELECT review FROM subscriber") is True
    await text_in(runtime, number, "no")
    assert await scalar(runtime, "SELECT review FROM subscriber") is False


async def test_late_answers_are_told_once_and_not_counted(runtime: Runtime) -> None:
    from service.actions.polls import close_poll

    (number,) = await asked_members(runtime)
    await close_poll(runtime, "coaching")
    assert "closed" in str((await text_in(runtime, number, "yes")).body)
    assert (await text_in(runtime, number, "yes!")).body is None
    found = await read_results(runtime, "coaching")
    assert (found["applicable"], found["excluded"]) == (0, {"too late": 1})


async def test_two_robots_talking_are_stopped_after_ten_texts(runtime: Runtime) -> None:
    (number,) = await asked_members(runtime)
    said = [(await text_in(runtime, number, "help")).body for _ in range(12)]
    assert [body is not None for body in said] == [True] * 9 + [False] * 3
    assert await scalar(runtime, "SELECT review FROM subscriber") is True
    assert (await text_in(runtime, number, "STOP")).body is not None


async def test_many_lanes_at_once_change_nothing_twice(runtime: Runtime) -> None:
    numbers = await asked_members(runtime, 20)
    texts = [a_text(number, "yes") for number in numbers]
    copies = [texts, list(reversed(texts)), texts[10:] + texts[:10]]
    answers = await asyncio.gather(*(receive_texts(runtime, copy) for copy in copies))
    by_sid = [
        {text.message_sid: answer for text, answer in zip(copy, given, strict=True)}
        for copy, given in zip(copies, answers, strict=True)
    ]
    assert by_sid[0] == by_sid[1] == by_sid[2]
    found = await read_results(runtime, "coaching")
    assert found["applicable"] == 20
    assert await scalar(runtime, "SELECT count(*) FROM delivery WHERE purpose='follow_up'") == 20


async def test_choices_numbers_and_their_follow_up(runtime: Runtime) -> None:
    await make_program(runtime)
    letters, numbers, wrong = await make_members(runtime, 3)
    content = {
        "slug": "challenge",
        "title": "Biggest challenge",
        "questions": [
            {
                "text": "Your biggest challenge?",
                "kind": "choice",
                "choices": ["Staffing", "Expenses", {"label": "Other", "aliases": ["none"]}],
            },
            {"text": "How many open positions?", "kind": "number", "min": 0, "max": 500},
        ],
    }
    await make_open_poll(runtime, {**COACHING, **content})
    await run_background(runtime)
    assert "How many open positions?" in str((await text_in(runtime, letters, "b)")).body)
    await text_in(runtime, letters, "1,2")
    await text_in(runtime, letters, "12")
    await text_in(runtime, numbers, "1")
    await text_in(runtime, numbers, "501")
    await text_in(runtime, numbers, "4")
    await text_in(runtime, wrong, "D")
    found = await read_results(runtime, "challenge")
    lines = found["questions"][0]["choices"]
    assert [(line["label"], line["count"]) for line in lines] == [
        ("Staffing", 1),
        ("Expenses", 1),
        ("Other", 0),
    ]
    assert found["questions"][1]["number"]["median"] == 8
    assert found["excluded"] == {"not understood": 1}


async def test_stop_and_start_in_one_batch_leave_the_member_in(runtime: Runtime) -> None:
    await make_program(runtime)
    (number,) = await make_members(runtime, 1)
    _, back = await receive_texts(runtime, [a_text(number, "STOP"), a_text(number, "STAT")])
    assert "you're in" in str(back.body)
    assert await scalar(runtime, "SELECT state FROM subscriber") == "active"


async def test_stop_to_an_unknown_address_holds_in_its_own_batch(runtime: Runtime) -> None:
    (number,) = await asked_members(runtime)
    texts = [a_text(number, "STOP", to="99999"), a_text(number, "purple")]
    assert (await receive_texts(runtime, texts))[1].body is None
    assert await scalar(runtime, "SELECT state FROM subscriber") == "opted_out"


async def test_flags_and_queue_agree_after_any_batch(runtime: Runtime) -> None:
    (number,) = await asked_members(runtime)
    bodies = ["purple", "no", "When is the annual meeting?"]
    await receive_texts(runtime, [a_text(number, body) for body in bodies])
    assert await scalar(runtime, "SELECT review FROM subscriber") is True
    waiting = "SELECT count(*) FROM inbound_text WHERE waiting = 'review'"
    assert await scalar(runtime, waiting) != 0
    await receive_texts(runtime, [a_text(number, "this is spam"), a_text(number, "STOP")])
    assert await scalar(runtime, "SELECT hold FROM subscriber") is False
    assert await scalar(runtime, "SELECT count(*) FROM inbound_text WHERE waiting = 'hold'") == 0


async def test_a_hold_in_one_program_holds_back_the_others(runtime: Runtime) -> None:
    from tests.fakes import FakeGateway

    await make_program(runtime)
    await make_program(runtime, "other", name="Other Poll", sender="44660", keywords=("OTHER",))
    number = a_number(1)
    await text_in(runtime, number, "STAT")
    await text_in(runtime, number, "OTHER", to="44660")
    await text_in(runtime, number, "this is spam", to="44660")
    await make_open_poll(runtime, {**COACHING, "program": "stat"})
    await run_background(runtime)
    assert isinstance(runtime.gateway, FakeGateway)
    assert runtime.gateway.taken == []
