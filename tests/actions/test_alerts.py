"""The staff are told by text and by webhook, and once more until somebody has seen it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.actions.alerts import acknowledge_alerts, list_alerts, tell_staff
from service.actions.hold_warnings import warn_of_holds
from service.actions.jobs import list_jobs
from service.actions.opt_out import opt_out
from service.actions.polls import pause_poll
from service.actions.results import read_results
from service.actions.review import list_waiting, release
from service.actions.staff import add_staff, list_staff, remove_staff
from service.domain.alerts import AlertKind
from service.domain.staff import StaffRole
from service.errors import InvalidInputError, NotFoundError, NotifyError, RefusedError
from service.runtime import Runtime
from service.store.alerts import raise_alert
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import make_members, make_open_poll, make_program, run_background, text_in

ANA, BEN = "+13035550101", "+13035550102"
FOUR_HOURS = timedelta(hours=4, seconds=1)


class FakeNotifier:
    """Takes every message, unless told to fail."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.fails = False

    async def post(self, message: Mapping[str, Any], now: datetime) -> None:
        if self.fails:
            raise NotifyError("the alert webhook answered 500")
        self.posted.append(dict(message))


async def on_call(runtime: Runtime, *phones: str) -> None:
    """A program, and people on the staff with these phones."""
    await make_program(runtime)
    for index, phone in enumerate(phones):
        await add_staff(runtime, f"p{index}@example.org", role=StaffRole.EDITOR, phone=phone)


async def something_happens(runtime: Runtime, key: str = "poll:1", **details: Any) -> bool:
    async with runtime.sessions.begin() as session:
        now = runtime.clock.now()
        kind = AlertKind.LATE_POLL
        return await raise_alert(session, kind, key, "Poll x is late.", now=now, **details)


async def told(runtime: Runtime, gateway: FakeGateway) -> list[str]:
    await tell_staff(runtime)
    await run_background(runtime)
    return [sent.to for sent in gateway.taken]


async def test_each_phone_is_told_once(runtime: Runtime, gateway: FakeGateway) -> None:
    await on_call(runtime, ANA, BEN, ANA)  # two people may share one phone
    await something_happens(runtime)
    for _ in range(3):
        assert sorted(await told(runtime, gateway)) == [ANA, BEN]
    assert gateway.taken[0].body == "Acme Stat staff: Poll x is late."


async def test_what_nobody_acknowledges_is_told_once_more_after_four_hours(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await on_call(runtime, ANA)
    await something_happens(runtime)
    assert await told(runtime, gateway) == [ANA]
    clock.advance(timedelta(hours=3, minutes=59))
    assert await told(runtime, gateway) == [ANA]
    clock.advance(timedelta(minutes=2))
    assert await told(runtime, gateway) == [ANA, ANA]
    clock.advance(timedelta(days=2))
    assert await told(runtime, gateway) == [ANA, ANA]


async def test_an_acknowledged_alert_is_told_no_more(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await on_call(runtime, ANA)
    await something_happens(runtime)
    await told(runtime, gateway)
    assert await acknowledge_alerts(runtime, [1], actor="ana") == [1]
    clock.advance(FOUR_HOURS)
    assert await told(runtime, gateway) == [ANA]
    assert await list_alerts(runtime) == []
    ((seen),) = await list_alerts(runtime, every=True)
    assert (seen["acknowledged_by"], seen["told_times"]) == ("ana", 1)
    with pytest.raises(NotFoundError, match="no open alert 1"):
        await acknowledge_alerts(runtime, [1], actor="ana")


async def test_all_open_alerts_are_acknowledged_at_once(runtime: Runtime) -> None:
    await on_call(runtime)
    for key in ("poll:1", "poll:2"):
        await something_happens(runtime, key)
    assert await acknowledge_alerts(runtime, None, actor="ana") == [1, 2]
    assert await acknowledge_alerts(runtime, None, actor="ana") == []


async def test_alerts_go_out_at_any_hour_and_before_a_polls_queue(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    clock.advance(timedelta(hours=12))  # midnight in Denver
    await on_call(runtime, ANA)
    await make_members(runtime, 3)
    await make_open_poll(runtime)
    clock.advance(timedelta(minutes=1))
    await something_happens(runtime)
    assert await told(runtime, gateway) == [ANA]


async def test_a_paused_poll_holds_no_alert_back_and_no_alert_is_in_a_funnel(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await on_call(runtime, ANA)
    await make_members(runtime, 2)
    slug = await make_open_poll(runtime)
    await pause_poll(runtime, slug)
    await something_happens(runtime, program_id=1, poll_id=1)
    assert await told(runtime, gateway) == [ANA]
    found = await read_results(runtime, slug)
    assert (found["audience"], found["sent"]) == (2, 0)


async def test_a_phone_that_said_stop_gets_no_alerts(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await on_call(runtime, ANA, BEN)
    await opt_out(runtime, BEN, actor="tests")
    await something_happens(runtime)
    assert await told(runtime, gateway) == [ANA]


async def test_a_stop_between_writing_and_sending_is_kept(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await on_call(runtime, ANA)
    await something_happens(runtime)
    await tell_staff(runtime)
    await text_in(runtime, ANA, "STOP")
    await run_background(runtime)
    assert gateway.taken == []
    async with runtime.sessions() as session:
        row = (
            await session.execute(text("SELECT state FROM delivery WHERE purpose='alert'"))
        ).one()
    assert row.state == "cancelled"


async def test_a_member_on_the_staff_is_told_whatever_their_standing(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await on_call(runtime, ANA)
    await text_in(runtime, ANA, "STAT")
    await text_in(runtime, ANA, "When is the annual meeting?")  # in review
    await something_happens(runtime)
    assert await told(runtime, gateway) == [ANA]


async def test_nobody_to_tell_leaves_it_untold_for_a_day(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await on_call(runtime)
    await something_happens(runtime)
    assert await told(runtime, gateway) == []
    await add_staff(runtime, "ana@example.org", role=StaffRole.ADMIN, phone=ANA)
    assert await told(runtime, gateway) == [ANA]
    await remove_staff(runtime, "ana@example.org")
    await something_happens(runtime, "poll:2")
    await told(runtime, gateway)
    clock.advance(timedelta(days=1))
    await add_staff(runtime, "ana@example.org", role=StaffRole.ADMIN, phone=ANA)
    assert await told(runtime, gateway) == [ANA, ANA]  # the first one's second text alone


async def test_the_webhook_is_posted_to_once_without_numbers(runtime: Runtime) -> None:
    notifier = FakeNotifier()
    runtime = replace(runtime, notifier=notifier)
    await on_call(runtime, ANA)
    await something_happens(runtime, program_id=1)
    for _ in range(2):
        await tell_staff(runtime)
        await run_background(runtime)
    ((message),) = notifier.posted
    assert datetime.fromisoformat(message.pop("raised_at")) <= runtime.clock.now()
    assert message == {
        "id": 1,
        "kind": "late_poll",
        "program": "stat",
        "poll": None,
        "sentence": "Poll x is late.",
    }
    assert ANA not in str(notifier.posted)


async def test_a_webhook_that_fails_is_tried_again_by_the_jobs_table(
    runtime: Runtime, clock: MovableClock
) -> None:
    notifier = FakeNotifier()
    runtime = replace(runtime, notifier=notifier)
    notifier.fails = True
    await something_happens(runtime)
    await tell_staff(runtime)
    await run_background(runtime)
    ((job),) = await list_jobs(runtime)
    assert (job["name"], job["attempts"]) == ("alert_webhook", 1)
    notifier.fails = False
    clock.advance(timedelta(minutes=1))
    await run_background(runtime)
    assert len(notifier.posted) == 1


async def test_one_matter_is_one_open_alert_and_old_news_is_not_told_again(
    runtime: Runtime, clock: MovableClock
) -> None:
    await on_call(runtime)
    assert await something_happens(runtime)
    assert not await something_happens(runtime)
    news_at = runtime.clock.now()
    clock.advance(timedelta(minutes=1))
    await acknowledge_alerts(runtime, None, actor="ana")
    assert not await something_happens(runtime, news_at=news_at - timedelta(minutes=1))
    assert await something_happens(runtime, news_at=runtime.clock.now())
    await acknowledge_alerts(runtime, None, actor="ana")
    assert await something_happens(runtime)


async def test_staff_are_warned_a_business_day_before_holds_lapse(
    runtime: Runtime, clock: MovableClock
) -> None:
    await on_call(runtime)
    one, two = await make_members(runtime, 2)
    await text_in(runtime, one, "this is spam")  # Tuesday noon; lapses on Friday noon
    clock.advance(timedelta(hours=47))
    await warn_of_holds(runtime)
    assert await list_alerts(runtime) == []
    await text_in(runtime, two, "this is spam")
    clock.advance(timedelta(hours=2))
    await warn_of_holds(runtime)
    ((alert),) = await list_alerts(runtime)
    assert alert["kind"] == "holds_lapsing"
    assert "day: 1." in alert["sentence"]
    await acknowledge_alerts(runtime, None, actor="ana")
    await warn_of_holds(runtime)
    assert await list_alerts(runtime) == []
    clock.advance(timedelta(days=4))
    await warn_of_holds(runtime)
    assert len(await list_alerts(runtime)) == 1
    for row in await list_waiting(runtime):
        await release(runtime, row["id"], actor="ana")
    await acknowledge_alerts(runtime, None, actor="ana")
    await warn_of_holds(runtime)
    assert await list_alerts(runtime) == []


async def test_the_staff_are_a_list_of_addresses(runtime: Runtime) -> None:
    await add_staff(runtime, " Ana@Example.org", role=StaffRole.ADMIN, phone=ANA)
    with pytest.raises(RefusedError, match="already"):
        await add_staff(runtime, "ana@example.org", role=StaffRole.VIEWER)
    with pytest.raises(InvalidInputError, match="e-mail"):
        await add_staff(runtime, "ana", role=StaffRole.VIEWER)
    ((ana),) = await list_staff(runtime)
    assert (ana["email"], ana["role"], ana["phone"]) == (
        "ana@example.org",
        "admin",
        "•••-•••-0101",
    )
    await remove_staff(runtime, "ANA@example.org")
    with pytest.raises(NotFoundError):
        await remove_staff(runtime, "ana@example.org")
