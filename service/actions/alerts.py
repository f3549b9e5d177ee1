"""Tell the staff what needs them, by text and by webhook, until one of them has seen it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.alert_texts import alert_text
from service.domain.deliveries import DeliveryState, Purpose
from service.domain.programs import Program
from service.errors import NotFoundError
from service.runtime import Runtime
from service.store import alerts, jobs
from service.store.inserts import insert_many
from service.store.staff import list_staff, opted_out
from service.store.tables import Delivery

WEBHOOK_JOB = "alert_webhook"
TELL_AGAIN_AFTER = timedelta(hours=4)
_NEVER_TOLD_FOR = timedelta(days=1)
"""What nobody could be told of for so long is left to ``alerts list``."""
_AHEAD = timedelta(days=30)
"""Texts go out by the time they are due: an alert stands before any poll's queue."""


async def tell_staff(runtime: Runtime) -> int:
    """Write the texts and plan the posts of alerts that are due; gives how many alerts.

    Each is told once, and once more if nobody has acknowledged it four hours later.
    """
    now = runtime.clock.now()
    async with runtime.sessions.begin() as session:
        due = await alerts.alerts_to_tell(
            session, not_since=now - _NEVER_TOLD_FOR, again=now - TELL_AGAIN_AFTER
        )
        if not due:
            return 0
        phones = await _phones(runtime, session)
        programs = await runtime.catalog.programs(session)
        texts = [
            row
            for alert in due
            if programs.all
            for row in _texts(
                alert,
                phones,
                programs.by_id(alert.program_id) if alert.program_id else programs.all[0],
                now,
            )
        ]
        await insert_many(session, Delivery, texts, tail="ON CONFLICT (dedupe_key) DO NOTHING")
        posts = [alert.id for alert in due if runtime.notifier and not alert.told_times]
        for alert_id in posts:
            await _plan_post(session, alert_id, now)
        told = [alert.id for alert in due if texts or alert.id in posts]
        await alerts.mark_told(session, told, now)
    return len(told)


async def _phones(runtime: Runtime, session: AsyncSession) -> dict[int, tuple[str, bytes]]:
    """Phones and their keys by person, one that several share once, none that has said stop."""
    owners = {person.phone: person.id or 0 for person in await list_staff(session) if person.phone}
    keyed = {owner: (phone, runtime.key_of(phone)) for phone, owner in owners.items()}
    stopped = await opted_out(session, [number_key for _, number_key in keyed.values()])
    return {key: phone for key, phone in keyed.items() if phone[1] not in stopped}


def _texts(
    alert: Any, phones: Mapping[int, tuple[str, bytes]], program: Program, now: datetime
) -> Sequence[dict[str, Any]]:
    body = alert_text(program, alert.sentence)
    again = f":{alert.told_times + 1}" if alert.told_times else ""
    return [
        {
            "dedupe_key": f"alert:{alert.id}:staff:{person}{again}",
            "program_id": program.identifier,
            "number_key": number_key,
            "number": number,
            "purpose": Purpose.ALERT,
            "body": body,
            "segments": 1,
            "state": DeliveryState.READY,
            "not_before": now - _AHEAD,
            "created_at": now,
        }
        for person, (number, number_key) in phones.items()
    ]


async def _plan_post(session: AsyncSession, alert_id: int, now: datetime) -> None:
    await jobs.enqueue(
        session,
        WEBHOOK_JOB,
        f"alert:{alert_id}",
        run_at=now,
        now=now,
        payload={"alert_id": alert_id},
    )


async def post_alert(runtime: Runtime, alert_id: int) -> None:
    """Post one alert to the staff's webhook.

    Raises:
        NotifyError: it was not taken; the job comes again.
    """
    if runtime.notifier is None:
        return
    async with runtime.sessions() as session:
        rows = await alerts.list_alerts(session, every=True, alert_id=alert_id)
    for row in rows:
        message = _described(row)
        told = {name: message[name] for name in ("id", "kind", "program", "poll", "sentence")}
        await runtime.notifier.post(
            {**told, "raised_at": message["raised_at"]}, runtime.clock.now()
        )


async def list_alerts(runtime: Runtime, *, every: bool = False) -> list[dict[str, Any]]:
    """Open alerts, newest first; with ``every`` those acknowledged too."""
    async with runtime.sessions() as session:
        return [_described(row) for row in await alerts.list_alerts(session, every=every)]


async def acknowledge_alerts(
    runtime: Runtime, ids: Sequence[int] | None, *, actor: str
) -> list[int]:
    """A person has seen alerts, all that are open with ``None``; gives their keys.

    Raises:
        NotFoundError: one of them is not open; then none is acknowledged.
    """
    async with runtime.sessions.begin() as session:
        seen = await alerts.acknowledge(session, ids, actor=actor, now=runtime.clock.now())
        missing = set(ids or ()) - set(seen)
        if missing:
            raise NotFoundError(f"there is no open alert {min(missing)}")
    return seen


def _described(row: Any) -> dict[str, Any]:
    def iso(instant: datetime | None) -> str | None:
        return instant.isoformat() if instant else None

    return {
        "id": row.id,
        "kind": row.kind,
        "program": row.program,
        "poll": row.poll,
        "sentence": row.sentence,
        "raised_at": iso(row.raised_at),
        "told_at": iso(row.told_at),
        "told_times": row.told_times,
        "acknowledged_at": iso(row.acknowledged_at),
        "acknowledged_by": row.acknowledged_by,
    }
