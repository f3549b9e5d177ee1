"""Background jobs: enqueue in the caller's transaction, run under a lease, retry, bury."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.diagnosis import RecurringJob


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job this process holds the lease of."""

    id: int
    name: str
    key: str
    payload: Mapping[str, Any]
    run_at: datetime
    attempts: int


_ENQUEUE = text(
    """
    INSERT INTO job (name, key, payload, state, run_at, created_at)
    VALUES (:name, :key, CAST(:payload AS jsonb), 'ready', :run_at, :now)
    ON CONFLICT (name, key) DO NOTHING
    """
)
_RESCHEDULE = text(
    """
    INSERT INTO job (name, key, payload, state, run_at, created_at)
    VALUES (:name, :key, CAST(:payload AS jsonb), 'ready', :run_at, :now)
    ON CONFLICT (name, key) DO UPDATE
    SET run_at = EXCLUDED.run_at, payload = EXCLUDED.payload, state = 'ready', attempts = 0,
        last_error = '', leased_by = NULL, leased_until = NULL, finished_at = NULL
    """
)


async def enqueue(
    session: AsyncSession,
    name: str,
    key: str,
    *,
    run_at: datetime,
    now: datetime,
    payload: Mapping[str, Any] | None = None,
    replace: bool = False,
) -> None:
    """Plan a job, with the caller's transaction.

    Args:
        key: with ``name`` makes the job once-only: planned again it stays as it is.
        replace: plan it anew even where it stands already.
    """
    values = {"name": name, "key": key, "run_at": run_at, "now": now}
    values["payload"] = json.dumps(dict(payload or {}))
    await session.execute(_RESCHEDULE if replace else _ENQUEUE, values)


_PLAN_RECURRING = text(
    """
    INSERT INTO job (name, key, payload, state, run_at, created_at)
    VALUES (:name, 'recurring', '{}', 'ready', :now, :now)
    ON CONFLICT (name, key) DO UPDATE SET run_at = EXCLUDED.run_at
    WHERE job.state = 'ready' AND job.run_at > EXCLUDED.run_at + interval '2 days'
    """
)


async def plan_recurring(session: AsyncSession, name: str, now: datetime) -> None:
    """A recurring job stands; one planned far ahead, by a clock that was set back, is due now."""
    await session.execute(_PLAN_RECURRING, {"name": name, "now": now})


_CLAIM = text(
    """
    UPDATE job SET state = 'running', leased_until = :until, leased_by = :name,
                   attempts = attempts + 1
    WHERE id = (
        SELECT id FROM job
        WHERE (state = 'ready' AND run_at <= :now)
           OR (state = 'running' AND leased_until < :now)
        ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, name, key, payload, run_at, attempts
    """
)
_HEARTBEAT = text(
    """
    UPDATE job SET leased_until = :until
    WHERE id = :id AND leased_by = :name AND state = 'running'
    """
)
_FINISH = text(
    """
    UPDATE job SET state = :state, run_at = :run_at, last_error = :error, finished_at = :finished,
                   leased_until = NULL, leased_by = NULL,
                   attempts = CASE WHEN :error = '' THEN 0 ELSE attempts END
    WHERE id = :id AND leased_by = :name AND state = 'running'
    """
)


async def claim(
    session: AsyncSession, *, name: str, now: datetime, lease: timedelta
) -> ClaimedJob | None:
    """Lease the job that has been due longest, also one whose process is gone."""
    row = (
        await session.execute(_CLAIM, {"name": name, "now": now, "until": now + lease})
    ).one_or_none()
    return None if row is None else ClaimedJob(*row)


async def heartbeat(session: AsyncSession, job: ClaimedJob, *, name: str, until: datetime) -> bool:
    """Keep the lease; ``False`` when it was lost to another process."""
    result = await session.execute(_HEARTBEAT, {"id": job.id, "name": name, "until": until})
    return bool(result.rowcount)  # type: ignore[attr-defined]


async def finish(
    session: AsyncSession, job: ClaimedJob, *, name: str, now: datetime, again_at: datetime | None
) -> None:
    """The job succeeded; a recurring one is due again at ``again_at``."""
    values = {"id": job.id, "name": name, "error": "", "run_at": again_at or job.run_at}
    values |= {"state": "ready" if again_at else "done", "finished": now}
    await session.execute(_FINISH, values)


async def fail(
    session: AsyncSession, job: ClaimedJob, *, name: str, error: str, again_at: datetime | None
) -> None:
    """The job failed: due again at ``again_at``, or dead and left to a person."""
    values = {"id": job.id, "name": name, "error": error, "run_at": again_at or job.run_at}
    values |= {"state": "ready" if again_at else "dead", "finished": None}
    await session.execute(_FINISH, values)


_UNFINISHED = text(
    """
    SELECT id, name, key, state, run_at, attempts, leased_by, last_error FROM job
    WHERE state = 'dead' OR (state <> 'done' AND NOT :dead_only)
    ORDER BY state <> 'dead', run_at, id
    """
)
_REVIVE = text(
    """
    UPDATE job SET state = 'ready', attempts = 0, run_at = :now WHERE id = :id AND state = 'dead'
    """
)
_FORGET_DONE = text("DELETE FROM job WHERE state = 'done' AND finished_at < :before")


async def unfinished(session: AsyncSession, *, dead_only: bool) -> list[dict[str, Any]]:
    """Jobs that are not done, dead ones first."""
    rows = await session.execute(_UNFINISHED, {"dead_only": dead_only})
    return [dict(row) for row in rows.mappings()]


async def revive(session: AsyncSession, job_id: int, now: datetime) -> bool:
    """Make a dead job due; ``False`` where it is not dead."""
    result = await session.execute(_REVIVE, {"id": job_id, "now": now})
    return bool(result.rowcount)  # type: ignore[attr-defined]


async def forget_done(session: AsyncSession, before: datetime) -> None:
    """Drop jobs that were done before ``before``."""
    await session.execute(_FORGET_DONE, {"before": before})


_RECURRING = text(
    "SELECT finished_at, run_at, leased_until, last_error FROM job WHERE name = ANY(:names)"
)


async def recurring(session: AsyncSession, names: Iterable[str]) -> list[RecurringJob]:
    """How these recurring jobs stand."""
    rows = await session.execute(_RECURRING, {"names": list(names)})
    return [RecurringJob(*row) for row in rows]
