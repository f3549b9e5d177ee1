"""Who answers STOP: this service, Twilio's default words, Advanced Opt-Out; by webhook and list.

The emulator does what Twilio does in each mode, over HTTP, on the same clock.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from emulator.settings import OptoutMode
from service.actions.backfill import backfill
from service.actions.carrier_lists import compare_refusals, suspend_deactivated
from service.domain.consent import OptOutMode
from service.runtime import Runtime
from tests.conftest import MovableClock
from tests.make import COACHING, a_number, make_open_poll, make_program
from tests.street import Street, open_street

MODES = {
    OptOutMode.APP: OptoutMode.NONE,
    OptOutMode.TWILIO_DEFAULT: OptoutMode.DEFAULT,
    OptOutMode.ADVANCED: OptoutMode.ADVANCED,
}
SERVICE = "MG" + "1" * 32
OURS, TWILIOS = "Acme Stat: You are unsubscribed", "You have successfully been unsubscribed"

every_mode = pytest.mark.parametrize("mode", MODES)
both_ways = pytest.mark.parametrize("lost", [False, True], ids=["webhook", "list"])


@asynccontextmanager
async def a_street(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, mode: OptOutMode
) -> AsyncIterator[Street]:
    """A program in a mode, with its sender set up at the emulator."""
    service = {"messaging_service_sid": SERVICE} if mode is OptOutMode.ADVANCED else {}
    async with open_street(runtime, monkeypatch, MODES[mode], **service) as street:
        await make_program(street.runtime, opt_out_mode=mode, **service)
        yield street


async def members(street: Street, people: int) -> list[str]:
    numbers = [a_number(index) for index in range(people)]
    async with street.web():
        for number in numbers:
            await street.type(number, "STAT")
    return numbers


async def hear(street: Street, lost: bool, *texts: tuple[str, str]) -> None:
    """Texts come by webhook, or get lost and are found in the list."""
    if not lost:
        async with street.web():
            for number, body in texts:
                await street.type(number, body)
            await street.settle()
        return
    for number, body in texts:
        assert (await street.type(number, body))["status"] == 0
        pass_time(street, seconds=2)
    pass_time(street, seconds=60)
    assert street.runtime.gateway is not None
    assert await backfill(street.runtime, street.runtime.gateway) == len(texts)
    async with street.web():
        await street.settle()


def pass_time(street: Street, seconds: float) -> None:
    assert isinstance(street.runtime.clock, MovableClock)
    street.runtime.clock.advance(timedelta(seconds=seconds))


async def state_of(street: Street, number: str) -> Any:
    key = street.runtime.key_of(number)
    async with street.runtime.sessions() as session:
        query = text("SELECT state FROM subscriber WHERE number_key = :key")
        return await session.scalar(query, {"key": key})


async def asked(street: Street, slug: str = "coaching") -> None:
    await make_open_poll(street.runtime, {**COACHING, "slug": slug})
    async with street.web():
        await street.settle()


@every_mode
@both_ways
async def test_stop_by_keyword_is_confirmed_once_by_whoever_answers_it(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, mode: OptOutMode, lost: bool
) -> None:
    async with a_street(runtime, monkeypatch, mode) as street:
        (number,) = await members(street, 1)
        before = len(await street.screen(number))
        await hear(street, lost, (number, "Stop"))
        confirmations = (await street.screen(number))[before:]
        assert len(confirmations) == 1
        assert confirmations[0].startswith(OURS if mode is OptOutMode.APP else TWILIOS)
        assert await state_of(street, number) == "opted_out"
        await asked(street)
        assert len(await street.screen(number)) == before + 1


@every_mode
@both_ways
async def test_stop_in_own_words_is_ours_to_confirm(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, mode: OptOutMode, lost: bool
) -> None:
    async with a_street(runtime, monkeypatch, mode) as street:
        (number,) = await members(street, 1)
        before = len(await street.screen(number))
        await hear(street, lost, (number, "please take me off your list"))
        (confirmation,) = (await street.screen(number))[before:]
        assert confirmation.startswith(OURS)
        assert await state_of(street, number) == "opted_out"


@every_mode
@both_ways
async def test_start_brings_back_and_is_answered_once(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, mode: OptOutMode, lost: bool
) -> None:
    async with a_street(runtime, monkeypatch, mode) as street:
        (number,) = await members(street, 1)
        await hear(street, False, (number, "STOP"))
        pass_time(street, seconds=60)
        before = len(await street.screen(number))
        await hear(street, lost, (number, "START"))
        (welcome,) = (await street.screen(number))[before:]
        assert ("you're in" in welcome) is (mode is OptOutMode.APP)
        assert await state_of(street, number) == "active"
        await asked(street)
        assert "coaching" in (await street.screen(number))[-1]


@every_mode
@both_ways
async def test_yes_to_an_open_poll_is_an_answer(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, mode: OptOutMode, lost: bool
) -> None:
    async with a_street(runtime, monkeypatch, mode) as street:
        (number,) = await members(street, 1)
        await asked(street)
        pass_time(street, seconds=60)
        await hear(street, lost, (number, "YES"))
        assert "Tell us how" in (await street.screen(number))[-1]
        assert await state_of(street, number) == "active"
        # In its default mode Twilio takes a YES for an opt-in and answers it too.
        resubscribed = [body for body in await street.screen(number) if "re-subscribed" in body]
        assert len(resubscribed) == (mode is OptOutMode.TWILIO_DEFAULT)


async def test_a_yes_that_advanced_opt_out_takes_for_an_opt_in_is_an_answer(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_street(runtime, monkeypatch, OptOutMode.ADVANCED) as street:
        (number,) = await members(street, 1)
        await asked(street)
        async with street.web():
            answer = await street.type(number, "YES", opt_out_type="START")
        assert "Tell us how" in answer["replies"][0]


@every_mode
async def test_error_21610_opts_out_at_create_or_in_the_callback(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, mode: OptOutMode
) -> None:
    async with a_street(runtime, monkeypatch, mode) as street:
        blocked, other = await members(street, 2)
        await street.http.post(f"/emulator/phones/{blocked}", json={"blocked": True})
        await asked(street)
        assert await state_of(street, blocked) == "opted_out"
        assert await state_of(street, other) == "active"


async def test_a_refusal_whose_callback_got_lost_is_found_in_the_list(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_street(runtime, monkeypatch, OptOutMode.ADVANCED) as street:
        blocked, other = await members(street, 2)
        await street.http.post(f"/emulator/phones/{blocked}", json={"blocked": True})
        pass_time(street, seconds=60)
        await make_open_poll(street.runtime)
        await street.settle()  # no web process: receipts get lost
        assert await state_of(street, blocked) == "active"
        pass_time(street, seconds=60)
        assert street.runtime.gateway is not None
        assert await compare_refusals(street.runtime, street.runtime.gateway) == 1
        assert await state_of(street, blocked) == "opted_out"
        assert await state_of(street, other) == "active"


async def test_numbers_given_up_are_suspended_from_the_carriers_report(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_street(runtime, monkeypatch, OptOutMode.APP) as street:
        given_up, other = await members(street, 2)
        pass_time(street, seconds=2 * 86_400)
        numbers = {"numbers": [given_up, "+13039999999"]}
        await street.http.post("/emulator/deactivations", json=numbers)
        assert street.runtime.gateway is not None
        assert await suspend_deactivated(street.runtime, street.runtime.gateway) == 1
        assert await state_of(street, given_up) == "suspended"
        assert await state_of(street, other) == "active"


async def test_a_week_of_lost_texts_is_read_page_by_page(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.sms.twilio._LARGEST_PAGE", 7)
    async with a_street(runtime, monkeypatch, OptOutMode.APP) as street:
        texts = [(a_number(index), "STAT") for index in range(20)]
        await hear(street, True, *texts)
        for number, _ in texts:
            assert await state_of(street, number) == "active"
            assert len(await street.screen(number)) == 1
