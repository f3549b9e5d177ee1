"""Texts whose webhook got lost: taken in from the list, as of their own time, answered by REST."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import SQLAlchemyError

from service.actions.backfill import (
    FIRST_LOOK,
    LONGEST_LOOK,
    OVERLAP,
    WEBHOOK_MAY_COME,
    backfill,
)
from service.actions.polls import close_poll, pause_poll
from service.actions.receive_texts import receive_texts
from service.actions.results import read_results
from service.domain.consent import OptOutMode
from service.errors import RejectedError, SendError
from service.runtime import Runtime
from service.sms.gateway import ListedText
from service.worker import run_worker
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.lost import MINUTE, Lost, answer_of, asked_members, scalar, state_of
from tests.make import (
    COACHING,
    SENDER,
    a_number,
    make_members,
    make_open_poll,
    make_program,
    run_background,
    text_in,
)


async def test_a_lost_join_is_taken_in_and_answered_once(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    await make_program(runtime)
    sent = lost.text(a_number(1), "STAT")
    clock.advance(MINUTE)
    assert await backfill(runtime, gateway) == 1
    assert await backfill(runtime, gateway) == 0
    await run_background(runtime)
    assert await state_of(runtime, a_number(1)) == "active"
    (answer,) = gateway.taken
    assert answer.to == a_number(1)
    assert answer.body.startswith("Acme Stat weekly polls: you're in.")
    assert "delivery=" in answer.status_callback
    # The webhook comes after all: it is known, and TwiML says nothing a second time.
    (response,) = await receive_texts(runtime, [sent])
    assert response.body is None
    assert await scalar(runtime, "SELECT count(*) FROM inbound_text") == 1


async def test_the_webhook_has_its_time_before_the_list_is_believed(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    await make_program(runtime)
    lost.text(a_number(1), "STAT")
    clock.advance(WEBHOOK_MAY_COME - timedelta(seconds=2))
    assert await backfill(runtime, gateway) == 0
    clock.advance(timedelta(seconds=4))
    assert await backfill(runtime, gateway) == 1


async def test_a_stop_is_recorded_at_once_and_confirmed_within_five_minutes(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    early, late = await asked_members(runtime, 2)
    lost.text(late, "please stop texting me")
    clock.advance(3 * MINUTE)
    lost.text(early, "STOP")
    clock.advance(3 * MINUTE)
    assert await backfill(runtime, gateway) == 2
    await run_background(runtime)
    assert [(sent.to, "unsubscribed" in sent.body) for sent in gateway.taken] == [(early, True)]
    assert 100 < gateway.taken[0].validity_seconds <= 120
    assert await state_of(runtime, early) == await state_of(runtime, late) == "opted_out"
    # What was not confirmed is no confirmation: a second STOP gets one.
    assert "unsubscribed" in str((await text_in(runtime, late, "STOP")).body)


async def test_other_answers_go_out_within_an_hour_only(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    first, second = await asked_members(runtime, 2)
    lost.text(first, "no")
    clock.advance(31 * MINUTE)
    lost.text(second, "no")
    clock.advance(31 * MINUTE)
    await backfill(runtime, gateway)
    await run_background(runtime)
    assert [sent.to for sent in gateway.taken] == [second]
    assert (await read_results(runtime, "coaching"))["applicable"] == 2


async def test_an_answer_that_waits_too_long_in_our_own_line_is_dropped(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    (number,) = await asked_members(runtime)
    lost.text(number, "no")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    clock.advance(timedelta(hours=1))
    await run_background(runtime)
    assert gateway.taken == []
    query = "SELECT state || ': ' || reason FROM delivery WHERE purpose = 'counted'"
    assert await scalar(runtime, query) == "cancelled: too late to answer"


async def test_an_answer_does_not_stand_in_line_behind_a_poll_nor_wait_for_one_that_is_paused(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    (number,) = await asked_members(runtime)
    await make_members(runtime, 40)
    await make_open_poll(runtime, {**COACHING, "slug": "second"}, beside=True)
    from service.actions.jobs import run_due_job

    while await run_due_job(runtime):
        pass
    await pause_poll(runtime, "coaching")
    lost.text(number, "no")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    await run_background(runtime)
    thanks = "Acme Stat: Thank you, your answer is counted."
    assert thanks in [sent.body for sent in gateway.taken[:25]]
    assert len(gateway.taken) == 41


async def test_an_answer_sent_before_the_close_counts_and_asks_nothing_more(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    in_time, late = await asked_members(runtime, 2)
    lost.text(in_time, "yes")
    clock.advance(MINUTE)
    await close_poll(runtime, "coaching")
    clock.advance(MINUTE)
    lost.text(late, "yes")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    await run_background(runtime)
    found = await read_results(runtime, "coaching")
    assert (found["applicable"], found["excluded"]) == (1, {"too late": 1})
    said = {sent.to: sent.body for sent in gateway.taken}
    assert said[in_time] == "Acme Stat: Thank you, your answer is counted."
    assert "has closed" in said[late]


async def test_a_follow_up_is_asked_by_rest_and_answered_by_text(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    (number,) = await asked_members(runtime)
    lost.text(number, "yes")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    await run_background(runtime)
    assert "Tell us how" in gateway.taken[0].body
    assert "counted" in str((await text_in(runtime, number, "by a monthly circle")).body)
    assert (await read_results(runtime, "coaching"))["questions"][1]["applicable"] == 1


async def test_an_older_answer_does_not_replace_a_newer_one(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    (number,) = await asked_members(runtime)
    lost.text(number, "Yes - we have a coach")
    clock.advance(MINUTE)
    await text_in(runtime, number, "no")
    clock.advance(MINUTE)
    assert await backfill(runtime, gateway) == 1
    await run_background(runtime)
    assert await answer_of(runtime, number) == "no"
    assert gateway.taken == []
    assert await scalar(runtime, "SELECT count(*) FROM answer") == 1


async def test_two_lost_texts_of_one_number_are_decided_in_their_order(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    (number,) = await asked_members(runtime)
    lost.text(number, "no")
    lost.text(number, "yes")  # within the same second
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    assert await answer_of(runtime, number) == "yes"


async def test_an_unclear_text_that_a_later_answer_settled_waits_for_nobody(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    (number,) = await asked_members(runtime)
    lost.text(number, "purple")
    clock.advance(MINUTE)
    await text_in(runtime, number, "no")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    await run_background(runtime)
    assert gateway.taken == []
    assert await scalar(runtime, "SELECT review FROM subscriber") is False
    assert await scalar(runtime, "SELECT count(*) FROM inbound_text WHERE waiting IS NOT NULL") == 0


async def test_an_older_answer_leaves_a_later_review_to_staff(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    (number,) = await asked_members(runtime)
    lost.text(number, "no")
    clock.advance(MINUTE)
    await text_in(runtime, number, "When is the annual meeting?")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    assert await answer_of(runtime, number) == "no"
    assert await scalar(runtime, "SELECT review FROM subscriber") is True
    waiting = "SELECT count(*) FROM inbound_text WHERE waiting IS NOT NULL"
    assert await scalar(runtime, waiting) == 1


async def test_words_of_a_stranger_who_has_joined_since_mean_nothing(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    await make_program(runtime)
    lost.text(a_number(1), "hello, how do I join?")
    clock.advance(MINUTE)
    await text_in(runtime, a_number(1), "STAT")
    clock.advance(MINUTE)
    assert await backfill(runtime, gateway) == 1
    await run_background(runtime)
    assert gateway.taken == []
    assert await scalar(runtime, "SELECT review FROM subscriber") is False


async def test_a_text_is_read_against_the_question_asked_before_it(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    (number,) = await asked_members(runtime)
    lost.text(number, "yes")
    clock.advance(MINUTE)
    await make_open_poll(runtime, {**COACHING, "slug": "second"}, beside=True)
    await run_background(runtime)
    gateway.taken.clear()
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    await run_background(runtime)
    assert (await read_results(runtime, "coaching"))["applicable"] == 1
    assert (await read_results(runtime, "second"))["applicable"] == 0
    # A follow-up of the older poll would take the newer one's place.
    assert [sent.body for sent in gateway.taken] == [
        "Acme Stat: Thank you, your answer is counted."
    ]


async def test_the_text_before_the_question_is_no_answer_to_it(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    await make_program(runtime)
    (number,) = await make_members(runtime, 1)
    lost.text(number, "ok thanks")
    lost.text(number, "no")
    clock.advance(MINUTE)
    await make_open_poll(runtime)
    await run_background(runtime)
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    assert (await read_results(runtime, "coaching"))["applicable"] == 0


async def test_webhook_and_list_at_once_take_a_text_in_once(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    await make_program(runtime)
    sent = [lost.text(a_number(index), "STAT") for index in range(30)]
    clock.advance(MINUTE)
    found, *responses = await asyncio.gather(
        backfill(runtime, gateway), *(receive_texts(runtime, [one]) for one in sent)
    )
    await run_background(runtime)
    by_webhook = [response.body for (response,) in responses if response.body]
    assert found + len(by_webhook) == 30
    assert len(gateway.taken) == found
    assert await scalar(runtime, "SELECT count(*) FROM inbound_text") == 30
    assert await scalar(runtime, "SELECT count(*) FROM consent_event") == 30


async def test_a_look_that_fails_is_made_again_from_the_same_place(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_program(runtime)
    asked: list[timedelta] = []
    answer: list[SendError] = []

    async def received(*, to: str, since: datetime) -> list[ListedText]:
        asked.append(clock.now() - since)
        for error in answer:
            raise error
        return []

    monkeypatch.setattr(gateway, "received", received)
    second = timedelta(seconds=1)
    answer.append(SendError("the API is away"))
    with pytest.raises(SendError):
        await backfill(runtime, gateway)
    clock.advance(timedelta(hours=2))
    answer.clear()
    await backfill(runtime, gateway)
    clock.advance(3 * MINUTE)
    await backfill(runtime, gateway)
    clock.advance(timedelta(days=30))
    await backfill(runtime, gateway)
    expected = [
        FIRST_LOOK + OVERLAP,
        FIRST_LOOK + OVERLAP + timedelta(hours=2),
        WEBHOOK_MAY_COME + OVERLAP + 3 * MINUTE,
        LONGEST_LOOK,
    ]
    for found, wanted in zip(asked, expected, strict=True):
        assert abs(found - wanted) < 5 * second


async def test_a_text_that_cannot_be_stored_harms_no_other(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    await make_program(runtime)
    lost.text(a_number(1), "STAT")
    lost.text(a_number(2), "STAT \x00\ud800")
    gateway.inbound[1] = replace(gateway.inbound[1], media_count=2**40)
    clock.advance(MINUTE)
    for _ in range(2):
        with pytest.raises(SQLAlchemyError):
            await backfill(runtime, gateway)
    assert await state_of(runtime, a_number(2)) == "active"


@pytest.mark.parametrize("mode", [OptOutMode.TWILIO_DEFAULT, OptOutMode.ADVANCED])
async def test_what_twilio_has_answered_is_recorded_in_silence(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost, mode: OptOutMode
) -> None:
    await make_program(runtime, opt_out_mode=mode)
    numbers = await make_members(runtime, 4)
    stops, own_words, comes_back, helped = numbers
    lost.text(stops, "Cancel")
    lost.text(own_words, "please stop texting me")
    lost.text(comes_back, "STOP")
    lost.text(helped, "info")
    clock.advance(timedelta(seconds=5))
    lost.text(comes_back, "Start")
    clock.advance(MINUTE)
    assert await backfill(runtime, gateway) == 5
    await run_background(runtime)
    assert [await state_of(runtime, number) for number in numbers] == [
        *("opted_out", "opted_out", "active", "active")
    ]
    assert [sent.to for sent in gateway.taken] == [own_words]


async def test_a_join_word_does_not_bring_back_whom_twilio_blocks(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    await make_program(runtime, opt_out_mode=OptOutMode.TWILIO_DEFAULT)
    (number,) = await make_members(runtime, 1)
    clock.advance(MINUTE)
    lost.text(number, "STOP")
    clock.advance(MINUTE)
    await text_in(runtime, number, "STAT")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    assert await state_of(runtime, number) == "opted_out"


async def test_yes_is_an_answer_in_every_mode(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    await make_program(runtime, opt_out_mode=OptOutMode.ADVANCED)
    (number,) = await make_members(runtime, 1)
    await make_open_poll(runtime)
    await run_background(runtime)
    clock.advance(MINUTE)
    lost.text(number, "YES")
    clock.advance(MINUTE)
    await backfill(runtime, gateway)
    assert await answer_of(runtime, number) == "yes"


@pytest.mark.parametrize("trouble", ["a text", "a list", "a service"])
async def test_trouble_with_one_program_harms_no_other(
    runtime: Runtime,
    gateway: FakeGateway,
    clock: MovableClock,
    lost: Lost,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
) -> None:
    service = "MG" + "0" * 32
    await make_program(runtime, messaging_service_sid=service)
    await make_program(runtime, "other", name="Other", sender="44660", keywords=("OTHER",))
    lost.text(a_number(1), "STAT")
    lost.text(a_number(2), "STOP", to="44660")
    whole = gateway.received

    async def received(*, to: str, since: datetime) -> list[ListedText]:
        if trouble == "a list" and to == SENDER:
            raise RejectedError("no such number", code=21212)
        return await whole(to=to, since=since)

    async def senders_of(messaging_service_sid: str) -> list[str]:
        if trouble == "a service":
            raise RejectedError("no such service", code=20404)
        return []

    monkeypatch.setattr(gateway, "received", received)
    monkeypatch.setattr(gateway, "senders_of", senders_of)
    if trouble == "a text":
        gateway.inbound[1] = replace(gateway.inbound[1], media_count=2**40)
    clock.advance(MINUTE)
    with pytest.raises((RejectedError, SQLAlchemyError)):
        await backfill(runtime, gateway)
    assert await scalar(runtime, "SELECT count(*) FROM opt_out") == 1


async def test_every_senders_list_is_looked_at(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def received(*, to: str, since: datetime) -> list[ListedText]:
        asked.append(to)
        return []

    async def senders_of(messaging_service_sid: str) -> list[str]:
        return ["44660", "+13035550199"]

    monkeypatch.setattr(gateway, "received", received)
    monkeypatch.setattr(gateway, "senders_of", senders_of)
    await make_program(runtime)
    await make_program(
        runtime,
        "other",
        name="Other Poll",
        sender="44660",
        keywords=("OTHER",),
        messaging_service_sid="MG" + "0" * 32,
    )
    await backfill(runtime, gateway)
    assert asked == [SENDER, "44660", "+13035550199"]


async def test_a_worker_that_starts_learns_of_lost_stops_before_it_sends(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, lost: Lost
) -> None:
    from service.actions.jobs import run_due_job

    await make_program(runtime)
    stopped, other = await make_members(runtime, 2)
    await make_open_poll(runtime)
    while await run_due_job(runtime):
        pass
    lost.text(stopped, "STOP")
    clock.advance(6 * MINUTE)
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(runtime, stop))
    while not gateway.taken:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    stop.set()
    await worker
    assert [sent.to for sent in gateway.taken] == [other]
