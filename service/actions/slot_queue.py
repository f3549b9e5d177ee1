"""The queue of drafts for the weekly slot: add, remove, move, list."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.poll_changes import key_of
from service.actions.programs import find_program
from service.domain.polls import PollState
from service.errors import RefusedError
from service.runtime import Runtime
from service.store import tables
from service.store.slot_queue import join_queue, leave_queue, order_queue, queued_drafts
from service.store.slots import hold_poll


async def add_to_queue(runtime: Runtime, slug: str, *, actor: str) -> int:
    """Put a draft at the end of its program's queue; gives its position.

    Raises:
        RefusedError: it is no draft, waits already, or its reminder does not fit the slot.
    """
    async with runtime.sessions.begin() as session:
        poll, program, drafts = await _queue_of(session, slug)
        if poll.state is not PollState.DRAFT:
            raise RefusedError(f"poll {slug!r} is {poll.state.value}: only a draft can wait")
        if poll.id in [draft.id for draft in drafts]:
            raise RefusedError(f"poll {slug!r} is in the queue already")
        hours = poll.reminder_after_hours
        if hours is not None and hours >= program.slot_open_hours:
            raise RefusedError(
                f"poll {slug!r}: its reminder, {hours} hours after it opens, would come too late "
                f"for a slot that stays open {program.slot_open_hours} hours"
            )
        position = len(drafts) + 1
        await join_queue(
            session,
            poll.program_id,
            key_of(poll),
            position=position,
            by=actor,
            now=runtime.clock.now(),
        )
        await order_queue(session, [key_of(one) for one in (*drafts, poll)])
        return position


async def remove_from_queue(runtime: Runtime, slug: str) -> None:
    """Take a draft out of the queue; it stays a draft.

    Raises:
        RefusedError: it does not wait there.
    """
    async with runtime.sessions.begin() as session:
        poll, _, drafts = await _queue_of(session, slug)
        others = _without(drafts, poll)
        await leave_queue(session, key_of(poll))
        await order_queue(session, [key_of(one) for one in others])


async def move_in_queue(runtime: Runtime, slug: str, position: int) -> None:
    """Give a waiting draft another place, 1 for the next to be taken.

    Raises:
        RefusedError: it does not wait there, or there is no such place.
    """
    async with runtime.sessions.begin() as session:
        poll, _, drafts = await _queue_of(session, slug)
        others = _without(drafts, poll)
        if not 1 <= position <= len(drafts):
            raise RefusedError(f"the queue has places 1 to {len(drafts)}, not {position}")
        others.insert(position - 1, poll)
        await order_queue(session, [key_of(one) for one in others])


async def list_queue(runtime: Runtime, program: str | None) -> list[dict[str, Any]]:
    """The drafts that wait, in order."""
    owner = await find_program(runtime, program)
    async with runtime.sessions() as session:
        drafts = await queued_drafts(session, owner.identifier)
    return [
        {"position": position, "slug": draft.slug, "title": draft.title}
        for position, draft in enumerate(drafts, start=1)
    ]


async def _queue_of(
    session: AsyncSession, slug: str
) -> tuple[tables.Poll, tables.Program, list[tables.Poll]]:
    """A poll, its program, whose row is then held, and the drafts that wait there."""
    program, poll = await hold_poll(session, slug)
    return poll, program, await queued_drafts(session, poll.program_id)


def _without(drafts: list[tables.Poll], poll: tables.Poll) -> list[tables.Poll]:
    others = [draft for draft in drafts if draft.id != poll.id]
    if len(others) == len(drafts):
        raise RefusedError(f"poll {poll.slug!r} is not in the queue")
    return others
