"""Take in texts: many at once, one transaction, each number's texts in order, each text once.

The numbers are locked first, in one order, so texts of one number are decided one after the
other over all processes, a repeated MessageSid finds its stored answer, and an opt-out and a
send to the same number cannot pass each other. No text is answered before its commit.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.inbound_changes import InboundChanges
from service.domain.conversation import apply
from service.domain.deciding import decide, decide_without_program
from service.domain.phone import lock_key
from service.domain.programs import Program
from service.runtime import Runtime
from service.store.engine import once_more_if_disconnected
from service.store.inbound import ReceivedText, Response
from service.store.members import Address, StoredMember, load_known
from service.store.quick import quick_transaction


class _Arrived(NamedTuple):
    """A text with its number's key and the program it was sent to, if any."""

    text: ReceivedText
    key: bytes
    program: Program | None


async def receive_texts(
    runtime: Runtime,
    texts: Sequence[ReceivedText],
    *,
    committing: Callable[[], None] = lambda: None,
) -> list[Response]:
    """Store, decide and answer ``texts``; one response each, in their order.

    A MessageSid known already changes nothing and gets its stored response again.

    Args:
        committing: called when nothing but the commit is left.
    """

    async def whole() -> list[Response]:
        keys = {text.number: runtime.key_of(text.number) for text in texts}
        locks = [lock_key(key) for key in keys.values()]
        async with quick_transaction(runtime.sessions, locks, committing=committing) as session:
            return await _receive(runtime, session, texts, keys)

    return await once_more_if_disconnected(whole)


async def _receive(
    runtime: Runtime,
    session: AsyncSession,
    texts: Sequence[ReceivedText],
    keys: Mapping[str, bytes],
) -> list[Response]:
    now = runtime.clock.now()
    programs = await runtime.catalog.programs(session)
    arrived = {
        text.message_sid: _Arrived(
            text, keys[text.number], programs.addressed(text.to, text.messaging_service_sid)
        )
        for text in texts
    }
    known = await load_known(
        session,
        runtime.catalog,
        {
            sid: (one.program.identifier if one.program else None, one.key)
            for sid, one in arrived.items()
        },
        public_base_url=runtime.public_base_url,
        now=now,
    )
    responses = known.responses
    fresh = [one for sid, one in arrived.items() if sid not in responses]
    if fresh:
        changes = _decide_all(fresh, known.members, now)
        responses |= await changes.write(session, known.members.values())
    return [responses[text.message_sid] for text in texts]


def _decide_all(
    arrived: Sequence[_Arrived], members: dict[Address, StoredMember], now: datetime
) -> InboundChanges:
    changes = InboundChanges(now)
    for text, key, program in arrived:
        if program is None:
            nowhere = decide_without_program(text.body)
            changes.add_without_program(text, key, nowhere)
            if nowhere.consent:
                _stop_everywhere(members, key)
            continue
        stored = members[program.identifier, key]
        decision = decide(stored.member, text.body, program, now, opt_out_type=text.opt_out_type)
        changes.add(text, program, stored, decision)
        stored.member = apply(stored.member, decision, now)
        if decision.consent and decision.consent.everywhere:
            _stop_everywhere(members, key)
    return changes


def _stop_everywhere(members: dict[Address, StoredMember], key: bytes) -> None:
    """An opt-out holds in every program that this same batch speaks of."""
    for stored in members.values():
        if stored.number_key == key:
            stored.member = stored.member.opted_out()
