"""Write a poll's texts to the ledger in chunks that can be resumed after any crash."""

from service.domain.polls import PollState
from service.domain.segments import measure
from service.runtime import Runtime
from service.store.catalog import load_questions
from service.store.deliveries import fan_out_chunk
from service.store.polls import poll_by_id

CHUNK_PEOPLE = 20_000


async def fan_out(runtime: Runtime, poll_id: int) -> int:
    """Write what is missing of a poll's texts; gives how many people this call covered.

    Each chunk commits with the key of its last subscriber, and a text's ``dedupe_key`` is
    unique, so running it twice writes nothing twice.
    """
    people = 0
    while True:
        async with runtime.sessions.begin() as session:
            poll = await poll_by_id(session, poll_id)
            if poll.fan_out_done or poll.state not in (PollState.OPEN, PollState.PAUSED):
                return people
            first = (await load_questions(session, [poll_id]))[poll_id][0]
            last_id, size = await fan_out_chunk(
                session,
                poll,
                first,
                segments=measure(first.rendered).segments,
                size=CHUNK_PEOPLE,
                now=runtime.clock.now(),
            )
            people += size
            poll.fan_out_done = size < CHUNK_PEOPLE
            poll.fan_out_after_id = last_id or poll.fan_out_after_id
