"""What the carrier keeps, compared every day: refused numbers and numbers given up."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.actions import carrier_lists
from service.actions.carrier_lists import MOST_DAYS, compare_refusals, suspend_deactivated
from service.errors import RejectedError
from service.runtime import Runtime
from service.sms.gateway import RefusedText
from tests.conftest import NOON, MovableClock
from tests.fakes import FakeGateway
from tests.make import make_members, make_open_poll, make_program, run_background, text_in

YESTERDAY = NOON.date() - timedelta(days=1)
DAY = timedelta(days=1)


async def states(runtime: Runtime) -> list[str]:
    async with runtime.sessions() as session:
        return list(await session.scalars(text("SELECT state FROM subscriber ORDER BY id")))


async def evidence(runtime: Runtime, kind: str) -> list[str]:
    async with runtime.sessions() as session:
        query = text("SELECT rule FROM consent_event WHERE kind = :kind ORDER BY id")
        return list(await session.scalars(query, {"kind": kind}))


async def members_since_long(runtime: Runtime, clock: MovableClock, people: int) -> list[str]:
    """People who joined ten days ago."""
    await make_program(runtime)
    clock.advance(-10 * DAY)
    numbers = await make_members(runtime, people)
    clock.advance(10 * DAY)
    return numbers


async def test_a_number_that_the_carrier_refuses_is_out(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    refused, other = await members_since_long(runtime, clock, 2)
    gateway.refusals = [
        RefusedText(refused, clock.now() - timedelta(hours=2)),
        RefusedText("+13039999999", clock.now() - timedelta(hours=2)),
    ]
    assert await compare_refusals(runtime, gateway) == 1
    assert await compare_refusals(runtime, gateway) == 0
    assert sorted(await states(runtime)) == ["active", "opted_out"]
    assert await evidence(runtime, "opt_out") == ["compared with the carrier's list"]
    assert await text_in(runtime, other, "help")


async def test_trouble_with_one_senders_list_keeps_no_others_from_being_compared(
    runtime: Runtime,
    gateway: FakeGateway,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await make_program(runtime, "aaa", sender="44660", keywords=("OTHER",))
    (refused,) = await members_since_long(runtime, clock, 1)
    gateway.refusals = [RefusedText(refused, clock.now() - timedelta(hours=2))]
    listed = gateway.refused

    async def refused_by(*, sender: str, since: Any) -> list[RefusedText]:
        if sender == "44660":
            raise RejectedError("no such number", code=20404)
        return await listed(sender=sender, since=since)

    monkeypatch.setattr(gateway, "refused", refused_by)
    with pytest.raises(RejectedError):
        await compare_refusals(runtime, gateway)
    assert await states(runtime) == ["opted_out"]


async def test_who_came_back_after_the_refusal_stays_in(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    back, already_in = await members_since_long(runtime, clock, 2)
    gateway.refusals = [RefusedText(number, clock.now()) for number in (back, already_in)]
    clock.advance(timedelta(minutes=1))
    await text_in(runtime, back, "STOP")
    await text_in(runtime, back, "START")
    await text_in(runtime, already_in, "START")
    assert await compare_refusals(runtime, gateway) == 0
    assert await states(runtime) == ["active", "active"]


async def test_numbers_given_up_are_suspended_with_evidence_and_not_texted(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    numbers = await members_since_long(runtime, clock, 3)
    gateway.given_up = {YESTERDAY: [numbers[1], "+13039999999"]}
    assert await suspend_deactivated(runtime, gateway) == 1
    assert sorted(await states(runtime)) == ["active", "active", "suspended"]
    assert await evidence(runtime, "suspension") == ["deactivated"]
    await make_open_poll(runtime)
    await run_background(runtime)
    assert sorted(sent.to for sent in gateway.taken) == [numbers[0], numbers[2]]


async def test_a_handset_that_has_spoken_since_is_alive(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    (moved,) = await members_since_long(runtime, clock, 1)
    await text_in(runtime, moved, "help")
    gateway.given_up = {YESTERDAY: [moved]}
    assert await suspend_deactivated(runtime, gateway) == 0
    assert await states(runtime) == ["active"]


async def test_who_joined_after_the_day_is_not_its_former_owner(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await make_program(runtime)
    (number,) = await make_members(runtime, 1)
    gateway.given_up = {YESTERDAY: [number]}
    assert await suspend_deactivated(runtime, gateway) == 0


async def test_missed_days_are_made_up_for_a_week_at_most(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[date] = []

    async def deactivated(day: date) -> list[str]:
        asked.append(day)
        if day > clock.now().date() - 2 * DAY and not published:
            raise RejectedError("not out yet", code=20404)
        return []

    published: list[bool] = []
    monkeypatch.setattr(gateway, "deactivated", deactivated)
    await suspend_deactivated(runtime, gateway)
    assert asked == [NOON.date() - days * DAY for days in range(MOST_DAYS, 0, -1)]
    asked.clear()
    published.append(True)
    await suspend_deactivated(runtime, gateway)
    await suspend_deactivated(runtime, gateway)
    assert asked == [YESTERDAY]
    asked.clear()
    clock.advance(3 * DAY)
    await suspend_deactivated(runtime, gateway)
    assert asked == [YESTERDAY + days * DAY for days in (1, 2, 3)]
    asked.clear()
    clock.advance(30 * DAY)
    await suspend_deactivated(runtime, gateway)
    assert len(asked) == MOST_DAYS


async def test_a_day_without_a_report_is_passed_over_and_a_refusal_is_not(
    runtime: Runtime, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.given_up = {YESTERDAY: []}  # none for the days before
    await suspend_deactivated(runtime, gateway)

    async def deactivated(day: date) -> list[str]:
        raise RejectedError("who are you", code=20003)

    monkeypatch.setattr(gateway, "deactivated", deactivated)
    assert isinstance(runtime.clock, MovableClock)
    runtime.clock.advance(DAY)
    with pytest.raises(RejectedError):
        await suspend_deactivated(runtime, gateway)


async def test_a_long_report_is_looked_up_in_few_queries(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = await members_since_long(runtime, clock, 3)
    chunks: list[int] = []
    look_up = carrier_lists.keys_of_members

    async def counted(session: Any, keys: list[bytes]) -> list[bytes]:
        chunks.append(len(keys))
        return await look_up(session, keys)

    monkeypatch.setattr(carrier_lists, "keys_of_members", counted)
    strangers = [f"+1212{index:07}" for index in range(12_000)]
    gateway.given_up = {YESTERDAY: [numbers[0], *strangers, numbers[2]]}
    assert await suspend_deactivated(runtime, gateway) == 2
    assert chunks == [5_000, 5_000, 2_002]
