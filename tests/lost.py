"""Texts whose webhook got lost, and what became of them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from service.runtime import Runtime
from service.sms.gateway import ListedText
from service.store.inbound import ReceivedText
from tests.conftest import MovableClock
from tests.fakes import FakeGateway
from tests.make import (
    a_text,
    make_members,
    make_open_poll,
    make_program,
    run_background,
)

MINUTE = timedelta(minutes=1)


class Lost:
    """Texts that reach the carrier and no webhook of ours."""

    def __init__(self, gateway: FakeGateway, clock: MovableClock) -> None:
        self._gateway = gateway
        self._clock = clock

    def text(self, number: str, body: str, **details: Any) -> ReceivedText:
        """Sent now; gives it as its webhook would have brought it."""
        sent = a_text(number, body, **details)
        at = self._clock.now().replace(microsecond=0)
        listed = ListedText(sent.message_sid, number, sent.to, body, at)
        self._gateway.inbound.insert(0, listed)
        return sent


async def scalar(runtime: Runtime, query: str, **values: object) -> Any:
    """The one value a query gives."""
    async with runtime.sessions() as session:
        return await session.scalar(text(query), values)


async def state_of(runtime: Runtime, number: str) -> str | None:
    """The state of a number's subscription."""
    key = runtime.key_of(number)
    return await scalar(runtime, "SELECT state FROM subscriber WHERE number_key = :key", key=key)


async def answer_of(runtime: Runtime, number: str) -> str | None:
    """The choice that counts for a number."""
    query = """
        SELECT c.label FROM answer a JOIN choice c ON c.id = a.choice_id
        JOIN subscriber s ON s.id = a.subscriber_id WHERE s.number_key = :key AND NOT a.void
    """
    return await scalar(runtime, query, key=runtime.key_of(number))


async def asked_members(runtime: Runtime, people: int = 1) -> list[str]:
    """Members who were asked a minute ago."""
    await make_program(runtime)
    numbers = await make_members(runtime, people)
    await make_open_poll(runtime)
    await run_background(runtime)
    assert isinstance(runtime.gateway, FakeGateway)
    assert isinstance(runtime.clock, MovableClock)
    runtime.gateway.taken.clear()
    runtime.clock.advance(MINUTE)
    return numbers
