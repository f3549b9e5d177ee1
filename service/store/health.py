"""The installation's backlog and the state of its schema, for operators."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.deliveries import DeliveryState
from service.store.looks import read_backfilled

RECENT_DELIVERIES = 50_000
"""A scrape looks at so many of the ledger's newest rows: its cost must not grow with the years."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is waiting, and for how long.

    Attributes:
        texts_out: newest rows of the ledger, by purpose and state.
        unsettled: texts not yet at the carrier, by state, however old.
        delivery_age_seconds: how long the text due first has been due; 0 when none is.
        jobs: by name and state.
        job_age_seconds: how long the job due first has been due; 0 when none is.
        polls: by state.
        texts_backfilled: texts taken in from the carrier's list, for their webhook got lost.
    """

    texts_out: Mapping[tuple[str, str], int]
    unsettled: Mapping[str, int]
    delivery_age_seconds: float
    jobs: Mapping[tuple[str, str], int]
    job_age_seconds: float
    polls: Mapping[str, int]
    texts_backfilled: int


_TEXTS_OUT = text(
    """
    SELECT purpose, state, count(*) AS texts FROM delivery
    WHERE id > (SELECT coalesce(max(id), 0) - :recent FROM delivery)
    GROUP BY purpose, state
    """
)
_UNSETTLED = text(
    """
    SELECT state, count(*) AS texts FROM delivery WHERE state IN ('ready', 'deferred')
    GROUP BY state
    UNION ALL
    SELECT state, count(*) FROM delivery WHERE state IN ('leased', 'handed', 'in_doubt')
    GROUP BY state
    """
)
# The oldest of each poll that is sent, and of what comes before polls: one step in an index each.
_DELIVERY_DUE = text(
    """
    SELECT min(due.not_before) FROM (
        SELECT (SELECT d.not_before FROM delivery d
                WHERE d.poll_id = p.id AND d.state IN ('ready', 'deferred')
                  AND d.not_before <= :now
                ORDER BY d.not_before LIMIT 1) AS not_before
        FROM poll p WHERE p.state IN ('open', 'closed', 'published')
        UNION ALL
        SELECT (SELECT d.not_before FROM delivery d
                WHERE d.program_id = g.id AND d.state IN ('ready', 'deferred')
                  AND (d.poll_id IS NULL OR d.inbound_sid IS NOT NULL) AND d.not_before <= :now
                ORDER BY d.not_before LIMIT 1)
        FROM program g
    ) due
    """
)
_JOBS = text("SELECT name, state, count(*) AS jobs FROM job GROUP BY name, state")
_JOB_DUE = text(
    """
    SELECT run_at FROM job
    WHERE (state = 'ready' AND run_at <= :now) OR (state = 'running' AND leased_until < :now)
    ORDER BY run_at, id LIMIT 1
    """
)
_POLLS = text("SELECT state, count(*) AS polls FROM poll GROUP BY state")
_UNSETTLED_STATES = (
    DeliveryState.READY,
    DeliveryState.DEFERRED,
    DeliveryState.LEASED,
    DeliveryState.HANDED,
    DeliveryState.IN_DOUBT,
)


async def read_backlog(session: AsyncSession, now: datetime) -> Backlog:
    """The backlog as it stands at ``now``."""
    texts_out = (await session.execute(_TEXTS_OUT, {"recent": RECENT_DELIVERIES})).all()
    unsettled = {state.value: 0 for state in _UNSETTLED_STATES}
    unsettled |= {row.state: row.texts for row in await session.execute(_UNSETTLED)}
    jobs = (await session.execute(_JOBS)).all()
    polls = (await session.execute(_POLLS)).all()
    return Backlog(
        texts_out={(row.purpose, row.state): row.texts for row in texts_out},
        unsettled=unsettled,
        delivery_age_seconds=_age(await session.scalar(_DELIVERY_DUE, {"now": now}), now),
        jobs={(row.name, row.state): row.jobs for row in jobs},
        job_age_seconds=_age(await session.scalar(_JOB_DUE, {"now": now}), now),
        polls={row.state: row.polls for row in polls},
        texts_backfilled=(await read_backfilled(session)).texts,
    )


def _age(due_at: datetime | None, now: datetime) -> float:
    return (now - due_at).total_seconds() if due_at else 0.0


_REVISION = text("SELECT version_num FROM alembic_version")


async def schema_revision(session: AsyncSession) -> str | None:
    """The migration the database has come to."""
    revision: str | None = await session.scalar(_REVISION)
    return revision


_SERVER = text(
    "SELECT current_setting('server_version_num')::int AS version, clock_timestamp() AS now"
)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The database server itself: ``server_version_num``, and its clock."""

    version_number: int
    now: datetime


async def read_server(session: AsyncSession) -> ServerFacts:
    """The server's version and clock."""
    row = (await session.execute(_SERVER)).one()
    return ServerFacts(row.version, row.now)
