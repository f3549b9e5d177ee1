"""A poll stops by itself when its texts fail, and the staff are told why."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.actions.polls import resume_poll
from service.actions.record_receipts import ReceivedReceipt, record_receipts
from service.actions.show_polls import preview_poll
from service.actions.trouble import watch_polls
from service.errors import NotTakenError, RejectedError
from service.runtime import Runtime
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import make_members, make_open_poll, make_program, run_background, text_in


async def asked(runtime: Runtime, people: int) -> list[str]:
    await make_program(runtime)
    numbers = await make_members(runtime, people)
    await make_open_poll(runtime)
    await run_background(runtime)
    return numbers


async def tell(
    runtime: Runtime, status: str, code: int | None = None, *, texts: int, skip: int = 0
) -> None:
    """A receipt for each of some texts in the order they were taken."""
    gateway = runtime.gateway
    assert isinstance(gateway, FakeGateway)
    receipts = [
        ReceivedReceipt(f"SM{n + 1:032x}", status, gateway.taken[n].to, error_code=code)
        for n in range(skip, skip + texts)
    ]
    await record_receipts(runtime, receipts)


async def poll_state(runtime: Runtime) -> tuple[str, str]:
    shown = await preview_poll(runtime, "coaching")
    return shown["state"], shown["pause_reason"]


async def alerts(runtime: Runtime) -> list[Any]:
    async with runtime.sessions() as session:
        query = text("SELECT kind, key, sentence FROM alert ORDER BY id")
        return [(row.kind, row.sentence) for row in await session.execute(query)]


async def test_a_poll_that_fails_too_often_pauses_and_says_why(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    await asked(runtime, 55)
    await tell(runtime, "delivered", texts=40)
    await tell(runtime, "undelivered", 30003, texts=11, skip=40)
    await watch_polls(runtime)
    assert (await poll_state(runtime))[0] == "open"
    await tell(runtime, "undelivered", 30004, texts=1, skip=51)
    await watch_polls(runtime)
    reason = "12 of 55 texts failed, most often: the phone cannot be reached (code 30003)"
    assert await poll_state(runtime) == ("paused", reason)
    await watch_polls(runtime)
    (alert,) = await alerts(runtime)
    assert alert[0] == "auto_pause"
    assert reason in alert[1]


async def test_few_failures_say_too_little(runtime: Runtime) -> None:
    await asked(runtime, 30)
    await tell(runtime, "undelivered", 30003, texts=30)
    await watch_polls(runtime)
    assert (await poll_state(runtime))[0] == "open"


async def test_opt_outs_are_no_failures(runtime: Runtime) -> None:
    await asked(runtime, 60)
    await tell(runtime, "failed", 21610, texts=60)
    await watch_polls(runtime)
    assert (await poll_state(runtime))[0] == "open"


async def test_a_resumed_poll_is_judged_anew(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    await asked(runtime, 60)
    await tell(runtime, "undelivered", 30005, texts=60)
    await watch_polls(runtime)
    clock.advance(timedelta(minutes=5))
    await resume_poll(runtime, "coaching")
    assert await poll_state(runtime) == ("open", "")
    await watch_polls(runtime)
    assert (await poll_state(runtime))[0] == "open"
    assert len(await alerts(runtime)) == 1


async def test_the_share_is_a_setting(runtime: Runtime) -> None:
    from dataclasses import replace

    await asked(runtime, 50)
    await tell(runtime, "undelivered", 30005, texts=20)
    await watch_polls(replace(runtime, auto_pause_percent=50))
    assert (await poll_state(runtime))[0] == "open"
    await watch_polls(replace(runtime, auto_pause_percent=39))
    assert (await poll_state(runtime))[0] == "paused"


@pytest.mark.parametrize("code", [20003, 21606, 30002])
async def test_an_account_that_cannot_send_pauses_the_poll_and_loses_nobody(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, code: int
) -> None:
    gateway.fail = lambda _: NotTakenError("no", code=code, retry_after_seconds=60)
    numbers = await asked(runtime, 3)
    state, reason = await poll_state(runtime)
    assert state == "paused"
    assert f"(code {code})" in reason
    assert [kind for kind, _ in await alerts(runtime)] == ["auto_pause"]
    gateway.fail = lambda _: None
    clock.advance(timedelta(minutes=10))
    await run_background(runtime)
    assert gateway.taken == []
    await resume_poll(runtime, "coaching")
    await run_background(runtime)
    assert sorted(sent.to for sent in gateway.taken) == sorted(numbers)


async def test_an_unfit_text_pauses_the_poll(runtime: Runtime, gateway: FakeGateway) -> None:
    gateway.fail = lambda _: RejectedError("too long", code=21617)
    await asked(runtime, 2)
    assert (await poll_state(runtime))[0] == "paused"


async def test_a_suspension_told_in_a_receipt_pauses_and_sends_again_after_the_resume(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock
) -> None:
    (number,) = await asked(runtime, 1)
    await tell(runtime, "failed", 30002, texts=1)
    await watch_polls(runtime)
    assert (await poll_state(runtime))[0] == "paused"
    clock.advance(timedelta(minutes=11))
    await resume_poll(runtime, "coaching")
    await run_background(runtime)
    assert [sent.to for sent in gateway.taken] == [number, number]


async def test_a_busy_carrier_pauses_nothing(runtime: Runtime, gateway: FakeGateway) -> None:
    gateway.fail = lambda _: NotTakenError("slow down", code=20429)
    await asked(runtime, 2)
    assert (await poll_state(runtime))[0] == "open"
    assert await alerts(runtime) == []


@pytest.mark.parametrize("code", [21612, 30024, 98765, 21611])
async def test_other_trouble_is_told_once_a_day_and_pauses_nothing(
    runtime: Runtime, gateway: FakeGateway, clock: MovableClock, code: int
) -> None:
    gateway.fail = lambda _: RejectedError("no", code=code)
    await asked(runtime, 3)
    await watch_polls(runtime)
    assert (await poll_state(runtime))[0] == "open"
    ((kind, sentence),) = await alerts(runtime)
    assert kind == "carrier_refusal"
    assert f"(code {code})" in sentence
    async with runtime.sessions.begin() as session:
        await session.execute(text("UPDATE alert SET acknowledged_at = now()"))
    await watch_polls(runtime)
    assert len(await alerts(runtime)) == 1


async def test_filtering_is_told_above_two_percent(runtime: Runtime) -> None:
    await asked(runtime, 100)
    await tell(runtime, "undelivered", 30007, texts=2)
    await watch_polls(runtime)
    assert await alerts(runtime) == []
    await tell(runtime, "undelivered", 30007, texts=1, skip=2)
    await watch_polls(runtime)
    assert [kind for kind, _ in await alerts(runtime)] == ["carrier_refusal"]


async def test_answers_count_while_the_poll_is_paused(
    runtime: Runtime, gateway: FakeGateway
) -> None:
    numbers = await asked(runtime, 60)
    await tell(runtime, "undelivered", 30005, texts=59)
    await watch_polls(runtime)
    assert "counted" in str((await text_in(runtime, numbers[-1], "no")).body)
