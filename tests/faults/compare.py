"""The carrier's log against our ledger: who was texted twice, who was lost, whose answer was."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from service.domain.deliveries import SENT_STATES
from service.runtime import Runtime
from service.store.engine import Sessions, once_more_if_disconnected

REASONS_NOT_TO_SEND = frozenset({"opted out", "on hold", "in review", "suspended"})
PUT_OFF = timedelta(minutes=10)
_SENT = frozenset(state.value for state in SENT_STATES)
_DUE = text(
    """
    SELECT number FROM subscriber WHERE state = 'active' AND NOT hold AND NOT review
    """
)
_ROWS = text(
    """
    SELECT d.number, d.state, d.reason, d.error_code, d.message_sid FROM delivery d
    JOIN poll p ON p.id = d.poll_id WHERE p.slug = :slug AND d.purpose = 'ask'
    """
)
_UNSETTLED = text(
    """
    SELECT state, count(*) AS texts FROM delivery
    WHERE state IN ('leased', 'handed', 'in_doubt')
       OR state IN ('ready', 'deferred') AND not_before < :soon
    GROUP BY state
    """
)
_AGE = text(
    """
    UPDATE delivery SET handed_at = handed_at - interval '40 days',
                        created_at = created_at - interval '40 days'
    WHERE created_at > :since AND state NOT IN ('ready', 'deferred')
    """
)
_FANNED_OUT = text("SELECT fan_out_done FROM poll WHERE slug = :slug")
_KNOWN = text("SELECT message_sid FROM inbound_text WHERE message_sid = ANY(CAST(:sids AS text[]))")
_COUNTED_FOR_NOTHING = text(
    """
    SELECT i.message_sid FROM inbound_text i
    LEFT JOIN answer a ON a.question_id = i.question_id AND a.subscriber_id = i.subscriber_id
    WHERE i.outcome = 'counted' AND a.question_id IS NULL
      AND i.message_sid = ANY(CAST(:sids AS text[]))
    """
)


@dataclass
class Findings:
    """What a comparison found; all but ``texts`` should be empty.

    Attributes:
        texts: questions that the carrier accepted.
        twice: numbers whose question it accepted more than once.
        lost: numbers that were due a question, and it never did, and nothing says why not.
        unrecorded: numbers whose question it accepted, which the ledger denies.
        answers_lost: MessageSids of texts that members sent and we do not have.
        unsettled: texts of ours that still wait, by state.
    """

    texts: int = 0
    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    answers_lost: list[str] = field(default_factory=list)
    unsettled: dict[str, int] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether nobody was texted twice and nobody lost."""
        return not (
            self.twice or self.lost or self.unrecorded or self.answers_lost or self.unsettled
        )


async def due_numbers(sessions: Sessions) -> set[str]:
    """Who would be asked if a poll opened now."""
    async with sessions() as session:
        return set(await session.scalars(_DUE))


async def unsettled(runtime: Runtime, slug: str) -> dict[str, int]:
    """Texts whose end is not known yet, by state; the poll's fan-out counts as one.

    What is put off on purpose, an unreachable phone's second try, is not waited for.
    """
    soon = runtime.clock.now() + PUT_OFF

    async def whole() -> dict[str, int]:
        async with runtime.sessions() as session:
            rows = await session.execute(_UNSETTLED, {"soon": soon})
            found = {row.state: row.texts for row in rows}
            if not await session.scalar(_FANNED_OUT, {"slug": slug}):
                found["not written"] = 1
            return found

    # The database has just been restarted under our own connections, too.
    return await once_more_if_disconnected(whole)


async def let_a_month_pass(runtime: Runtime) -> None:
    """Make all texts old, for a person gets only so many in a day and in a month."""
    async with runtime.sessions.begin() as session:
        await session.execute(_AGE, {"since": runtime.clock.now() - timedelta(days=20)})


async def missing_texts(runtime: Runtime, log: Sequence[Mapping[str, Any]]) -> list[str]:
    """MessageSids of texts that members sent, as the log has them, and we do not."""
    typed = [row["sid"] for row in log if row["direction"] == "inbound"]
    async with runtime.sessions() as session:
        known = set(await session.scalars(_KNOWN, {"sids": typed}))
    return [sid for sid in typed if sid not in known]


async def compare(
    runtime: Runtime, slug: str, due: set[str], log: Sequence[Mapping[str, Any]]
) -> Findings:
    """Hold the ledger against the carrier's log of one round.

    Args:
        due: whom the poll had to ask.
        log: rows of ``/emulator/log`` since before the poll opened.
    """
    async with runtime.sessions() as session:
        rows = (await session.execute(_ROWS, {"slug": slug})).all()
        body = await session.scalar(
            text(
                "SELECT rendered FROM question q JOIN poll p ON p.id = q.poll_id"
                " WHERE p.slug = :slug AND q.position = 1"
            ),
            {"slug": slug},
        )
        typed = [row["sid"] for row in log if row["direction"] == "inbound"]
        unanswered = list(await session.scalars(_COUNTED_FOR_NOTHING, {"sids": typed}))
    asked = [row for row in log if row["direction"] == "outbound-api" and row["body"] == body]
    accepted = Counter(row["to"] for row in asked)
    sids = {row["sid"] for row in asked}
    return Findings(
        texts=len(asked),
        twice=[number for number, times in accepted.items() if times > 1],
        lost=sorted(due - {row.number for row in rows})
        + [row.number for row in rows if _is_lost(row, accepted, sids)],
        unrecorded=sorted(accepted.keys() - {row.number for row in rows if _is_told(row)}),
        answers_lost=await missing_texts(runtime, log) + unanswered,
        unsettled=await unsettled(runtime, slug),
    )


def _is_lost(row: Any, accepted: Mapping[str, int], sids: set[str]) -> bool:
    if row.state in _SENT:
        return row.message_sid not in sids
    if row.number in accepted:
        return False
    if row.state == "failed":
        return row.error_code is None
    return not (row.state == "cancelled" and row.reason in REASONS_NOT_TO_SEND)


def _is_told(row: Any) -> bool:
    """Whether the ledger knows that the carrier has taken this text."""
    return row.state in _SENT or (row.state == "failed" and row.error_code is not None)
