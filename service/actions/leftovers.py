"""Cancel what a poll leaves unsent when it is over.

The change of the poll's state, once committed, already stops its sending: the gate lets nothing of
it pass. So the texts themselves can follow in chunks, none of which holds a million rows, and a
job planned with that change finishes what a crash interrupts.
"""

from service.domain.polls import NOT_SENT_AFTER
from service.runtime import Runtime
from service.store.leftovers import START, Place, cancel_chunk, cancel_leased
from service.store.polls import poll_by_id

LEFTOVERS_JOB = "cancel_leftovers"
CHUNK_TEXTS = 20_000


async def cancel_leftovers(runtime: Runtime, poll_id: int) -> None:
    """Cancel the questions and reminders that wait, if the poll is over; it may be repeated."""
    async with runtime.sessions.begin() as session:
        reason = NOT_SENT_AFTER.get((await poll_by_id(session, poll_id)).state)
    if reason is None:
        return
    place: Place | None = START
    while place is not None:
        async with runtime.sessions.begin() as session:
            place = await cancel_chunk(
                session,
                poll_id,
                place,
                reason=reason,
                size=CHUNK_TEXTS,
                now=runtime.clock.now(),
            )
    async with runtime.sessions.begin() as session:
        await cancel_leased(session, poll_id, reason=reason, now=runtime.clock.now())
