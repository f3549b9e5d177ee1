"""Take in a text that the carrier's list tells of and no webhook brought.

It is judged as of the time it was received (``domain.hindsight``), under the number's lock, and
known by its MessageSid like any other: whichever of webhook and list comes first, the other
changes nothing. There is no webhook to answer, so its answer is a text of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.inbound_changes import InboundChanges
from service.domain.conversation import Decision
from service.domain.gate import answer_until
from service.domain.hindsight import WHOLE_SECOND, apply_late, decide_late
from service.domain.phone import lock_key
from service.domain.programs import Program
from service.runtime import Runtime
from service.store.engine import lock_numbers
from service.store.hindsight import load_past
from service.store.inbound import ReceivedText
from service.store.looks import count_found
from service.store.members import load_known


@dataclass(frozen=True, slots=True)
class LateText:
    """A text as listed.

    Attributes:
        received_at: to the second.
        later: MessageSids of the number's texts that are listed after it.
    """

    text: ReceivedText
    received_at: datetime
    later: Sequence[str] = ()


async def receive_late(runtime: Runtime, late: LateText, program: Program, *, look: str) -> bool:
    """Store, decide and answer one text; ``False`` where it was known already.

    Args:
        look: the list it stood in, where it is counted.
    """
    async with runtime.sessions.begin() as session:
        taken = await _receive(runtime, session, late, program)
        if taken:
            await count_found(session, look, 1, runtime.clock.now())
    return taken


async def _receive(
    runtime: Runtime, session: AsyncSession, late: LateText, program: Program
) -> bool:
    text, now = late.text, runtime.clock.now()
    key = runtime.key_of(text.number)
    await lock_numbers(session, [lock_key(key)])
    known = await load_known(
        session,
        runtime.catalog,
        {text.message_sid: (program.identifier, key)},
        public_base_url=runtime.public_base_url,
        now=now,
        asked_by=late.received_at + WHOLE_SECOND,
    )
    if known.responses:
        return False
    stored = known.members[program.identifier, key]
    past = await load_past(session, stored, late.received_at, late.later)
    decision = _in_time(decide_late(stored.member, past, text.body, program), past.at, now)
    changes = InboundChanges(now)
    changes.add(text, program, stored, decision, past)
    stored.member = apply_late(stored.member, decision, past)
    await changes.write(session, known.members.values())
    return True


def _in_time(decision: Decision, received_at: datetime, now: datetime) -> Decision:
    """The decision without words that nobody expects any more."""
    say = decision.say
    if say is None or now <= answer_until(say.purpose, received_at):
        return decision
    return decision._replace(say=None)
