"""What the changes of a poll share: the move itself, the job it plans, the question to staff."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.alerts import AlertKind
from service.domain.opening import Plan
from service.domain.polls import TRANSITIONS, PollState
from service.errors import RefusedError
from service.store import jobs, tables
from service.store.alerts import raise_alert, settle_alert


def key_of(poll: tables.Poll) -> int:
    """The key of a stored poll."""
    assert poll.id is not None  # noqa: S101  (a stored row has its key)
    return poll.id


def move_poll(poll: tables.Poll, towards: PollState) -> None:
    """Move a poll on in its life; the caller holds its row.

    Raises:
        RefusedError: from its state there is no such move.
    """
    if towards not in TRANSITIONS[poll.state]:
        raise RefusedError(
            f"poll {poll.slug!r} is {poll.state.value}: it cannot become {towards.value}"
        )
    poll.state = towards
    poll.version += 1


async def plan_job(
    session: AsyncSession, name: str, poll_id: int, run_at: datetime, now: datetime
) -> None:
    """Plan a poll's job, or plan it anew."""
    await jobs.enqueue(
        session,
        name,
        f"poll:{poll_id}",
        run_at=run_at,
        now=now,
        payload={"poll_id": poll_id},
        replace=True,
    )


def plan_of(poll: tables.Poll, opens_at: datetime, closes_at: datetime) -> Plan:
    """The times that ``poll`` has, or would have, to be looked over."""
    return Plan(
        poll.slug,
        opens_at,
        closes_at,
        reminder_after_hours=poll.reminder_after_hours,
        results_text_at=poll.results_at if poll.results_text else None,
    )


async def ask_about_opening(
    session: AsyncSession, poll: tables.Poll, sentence: str, now: datetime
) -> None:
    """Have staff decide whether a poll opens."""
    await raise_alert(
        session,
        AlertKind.LATE_POLL,
        f"poll:{poll.id}",
        sentence,
        now=now,
        program_id=poll.program_id,
        poll_id=poll.id,
    )


async def settle_opening(
    session: AsyncSession, poll: tables.Poll, actor: str, now: datetime
) -> None:
    """What staff were asked about the opening they have answered by acting."""
    await settle_alert(session, AlertKind.LATE_POLL, f"poll:{poll.id}", by=actor, now=now)
