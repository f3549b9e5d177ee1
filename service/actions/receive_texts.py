"""Take in texts: many at once, one transaction, each number's texts in order, each text once.

The numbers are locked first, in one order, so texts of one number are decided one after the
other over all processes, a repeated MessageSid finds its stored answer, and an opt-out and a
send to the same number cannot pass each other. No text is answered before its commit.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.inbound_changes import InboundChanges
from service.domain.conversation import apply
from service.domain.deciding import decide, decide_without_program
from service.domain.phone import lock_key
from service.domain.programs import Program
from service.runtime import Runtime
from service.store.engine import lock_numbers, once_more_if_disconnected
from service.store.inbound import ReceivedText, Response, stored_responses
from service.store.members import Address, StoredMember, load_members


async def receive_texts(runtime: Runtime, texts: Sequence[ReceivedText]) -> list[Response]:
    """Store, decide and answer ``texts``; one response each, in their order.

    A MessageSid known already changes nothing and gets its stored response again.
    """

    async def whole() -> list[Response]:
        async with runtime.sessions.begin() as session:
            return await _receive(runtime, session, texts)

    return await once_more_if_disconnected(whole)


async def _receive(
    runtime: Runtime, session: AsyncSession, texts: Sequence[ReceivedText]
) -> list[Response]:
    keys = {text.number: runtime.key_of(text.number) for text in texts}
    await lock_numbers(session, (lock_key(key) for key in keys.values()))
    responses = await stored_responses(session, (text.message_sid for text in texts))
    fresh = {text.message_sid: text for text in texts if text.message_sid not in responses}
    if fresh:
        arrived = [(text, keys[text.number]) for text in fresh.values()]
        responses |= await _decide_all(runtime, session, arrived)
    return [responses[text.message_sid] for text in texts]


async def _decide_all(
    runtime: Runtime, session: AsyncSession, arrived: Sequence[tuple[ReceivedText, bytes]]
) -> dict[str, Response]:
    now = runtime.clock.now()
    programs = await runtime.catalog.programs(session)
    addressed: list[tuple[ReceivedText, bytes, Program | None]] = [
        (text, key, programs.addressed(text.to, text.messaging_service_sid))
        for text, key in arrived
    ]
    members = await load_members(
        session,
        runtime.catalog,
        ((program.identifier, key) for _, key, program in addressed if program),
        public_base_url=runtime.public_base_url,
        now=now,
    )
    changes = InboundChanges(now)
    for text, key, program in addressed:
        if program is None:
            changes.add_without_program(text, key, decide_without_program(text.body))
            continue
        stored = members[program.identifier, key]
        decision = decide(stored.member, text.body, program, now, opt_out_type=text.opt_out_type)
        changes.add(text, program, stored, decision)
        stored.member = apply(stored.member, decision, now)
        if decision.consent and decision.consent.everywhere:
            _stop_elsewhere(members, stored)
    return await changes.write(session, members.values())


def _stop_elsewhere(members: dict[Address, StoredMember], stopped: StoredMember) -> None:
    """An opt-out holds in the other programs that this same batch speaks of, too."""
    for other in members.values():
        if other is not stopped and other.number_key == stopped.number_key:
            other.member = other.member.opted_out()
