"""Texts that stay in doubt: staff are told, and decide; who and when is kept."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from service.actions.alerts import acknowledge_alerts, list_alerts
from service.actions.doubts import list_deliveries, settle_doubt, watch_doubts
from service.actions.receive_texts import receive_texts
from service.actions.reconcile import reconcile, sweep
from service.actions.record_receipts import ReceivedReceipt, record_receipts
from service.actions.results import read_results
from service.domain.deliveries import DeliveryState, DoubtDecision
from service.errors import NotFoundError, RefusedError, UnknownOutcomeError
from service.runtime import Runtime
from service.sms.gateway import TakenText
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import a_text, make_members, make_open_poll, make_program, run_background

DOUBT = DeliveryState.IN_DOUBT
SETTLED = timedelta(minutes=15, seconds=1)


async def in_doubt(runtime: Runtime, gateway: FakeGateway) -> tuple[str, int]:
    """A member's text that the carrier may or may not have; its number and key."""
    await make_program(runtime)
    (number,) = await make_members(runtime, 1)
    await make_open_poll(runtime)
    gateway.fail = lambda _: UnknownOutcomeError("no answer")
    await run_background(runtime)
    gateway.fail = lambda _: None
    ((row),) = await list_deliveries(runtime, DOUBT, poll="coaching")
    return number, row["id"]


async def test_doubtful_texts_are_listed_without_numbers(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    number, key = await in_doubt(runtime, gateway)
    ((row),) = await list_deliveries(runtime, DOUBT)
    assert (row["id"], row["purpose"], row["poll"]) == (key, "ask", "coaching")
    assert row["number"] == f"•••-•••-{number[-4:]}"
    assert number not in str(row)
    with pytest.raises(NotFoundError, match="no poll 'other'"):
        await list_deliveries(runtime, DOUBT, poll="other")
    assert len(await list_deliveries(runtime, DeliveryState.HANDED)) == 1  # the confirmation


async def test_a_text_that_went_counts_as_sent_and_is_never_sent_again(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    number, key = await in_doubt(runtime, gateway)
    await settle_doubt(runtime, key, DoubtDecision.WENT, actor="ana")
    found = await read_results(runtime, "coaching")
    assert (found["sent"], found["by_receipt"], found["not_sent"]) == (
        1,
        {"no receipt yet": 1},
        {},
    )
    clock.advance(timedelta(hours=1))
    await sweep(runtime)
    await reconcile(runtime, gateway)
    await run_background(runtime)
    assert gateway.taken == []
    ((row),) = await list_deliveries(runtime, DeliveryState.ACCEPTED)
    assert (row["decided_as"], row["decided_by"]) == ("went", "ana")
    assert row["decided_at"] is not None
    await record_receipts(runtime, [ReceivedReceipt("SMlate", "delivered", number, key)])
    assert (await read_results(runtime, "coaching"))["by_receipt"] == {"delivered": 1}


async def test_a_text_is_sent_again_only_after_the_settle_time(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    number, key = await in_doubt(runtime, gateway)
    with pytest.raises(RefusedError, match="may still arrive; again from"):
        await settle_doubt(runtime, key, DoubtDecision.AGAIN, actor="ana")
    clock.advance(SETTLED)
    await settle_doubt(runtime, key, DoubtDecision.AGAIN, actor="ana")
    await run_background(runtime)
    assert [sent.to for sent in gateway.taken] == [number]
    ((row),) = await list_deliveries(runtime, DeliveryState.ACCEPTED)
    assert (row["decided_as"], row["decided_by"]) == ("again", "ana")


async def test_a_dropped_text_has_failed_and_blames_nobody(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    _, key = await in_doubt(runtime, gateway)
    await settle_doubt(runtime, key, DoubtDecision.DROP, actor="ana")
    clock.advance(timedelta(hours=2))
    await run_background(runtime)
    assert gateway.taken == []
    found = await read_results(runtime, "coaching")
    assert (found["audience"], found["sent"], found["not_sent"]) == (1, 0, {"failed": 1})
    ((row),) = await list_deliveries(runtime, DeliveryState.FAILED)
    assert row["reason"] == "dropped by staff"


async def test_only_a_text_in_doubt_can_be_settled(runtime: Runtime, gateway: FakeGateway) -> None:
    _, key = await in_doubt(runtime, gateway)
    await settle_doubt(runtime, key, DoubtDecision.DROP, actor="ana")
    with pytest.raises(RefusedError, match="is failed, not in doubt"):
        await settle_doubt(runtime, key, DoubtDecision.WENT, actor="ana")
    with pytest.raises(NotFoundError):
        await settle_doubt(runtime, 999, DoubtDecision.WENT, actor="ana")


async def test_an_answer_to_a_members_own_text_is_never_sent_again(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await make_program(runtime)
    await receive_texts(runtime, [a_text("+13032000001", "STAT")])
    clock.advance(timedelta(minutes=20))
    await sweep(runtime)
    ((row),) = await list_deliveries(runtime, DOUBT)
    with pytest.raises(RefusedError, match="its moment is gone"):
        await settle_doubt(runtime, row["id"], DoubtDecision.AGAIN, actor="ana")
    await settle_doubt(runtime, row["id"], DoubtDecision.WENT, actor="ana")


async def test_the_carriers_sid_may_be_missing_only_where_staff_said_it_went(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    from sqlalchemy.exc import IntegrityError

    _, key = await in_doubt(runtime, gateway)
    with pytest.raises(IntegrityError, match="taken_has_sid"):
        async with runtime.sessions.begin() as session:
            forged = text("UPDATE delivery SET state='accepted' WHERE id=:id")
            await session.execute(forged, {"id": key})


async def test_staff_are_told_when_the_list_cannot_tell(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    number, key = await in_doubt(runtime, gateway)
    gateway.listed[number] = [TakenText("SMredacted", "sent", "", runtime.clock.now())]
    clock.advance(timedelta(minutes=24))
    await reconcile(runtime, gateway)
    await watch_doubts(runtime)
    assert await list_alerts(runtime) == []
    clock.advance(timedelta(minutes=2))
    for _ in range(2):
        await reconcile(runtime, gateway)
        await watch_doubts(runtime)
    ((alert),) = await list_alerts(runtime)
    assert (alert["kind"], alert["poll"]) == ("in_doubt", "coaching")
    assert "tell: 1." in alert["sentence"]
    await acknowledge_alerts(runtime, None, actor="ana")
    await watch_doubts(runtime)
    assert await list_alerts(runtime) == []  # no other text has come to be in doubt
    await settle_doubt(runtime, key, DoubtDecision.WENT, actor="ana")
    await watch_doubts(runtime)
    assert await list_alerts(runtime) == []
