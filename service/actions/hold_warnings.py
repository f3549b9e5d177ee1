"""Tell the staff of holds while there is time to decide them."""

from datetime import datetime

from service.actions.review import list_waiting
from service.domain.alerts import AlertKind
from service.domain.conversation import Waiting
from service.domain.holds import warns_at
from service.runtime import Runtime
from service.store.alerts import raise_alert


async def warn_of_holds(runtime: Runtime) -> None:
    """Raise an alert for each program with holds that lapse within one business day.

    Staff who have acknowledged it are told again only when another hold comes that near.
    """
    now = runtime.clock.now()
    waiting = await list_waiting(runtime)
    async with runtime.sessions.begin() as session:
        for program in (await runtime.catalog.programs(session)).all:
            warned = [
                warns_at(datetime.fromisoformat(row["received_at"]), program.timezone)
                for row in waiting
                if row["waiting"] == Waiting.HOLD and row["program"] == program.slug
            ]
            near = [instant for instant in warned if instant <= now]
            if near:
                await raise_alert(
                    session,
                    AlertKind.HOLDS_LAPSING,
                    f"program:{program.identifier}",
                    f"Texts that count as opt-outs within a business day: {len(near)}. "
                    "Look: pollwire review list",
                    now=now,
                    program_id=program.identifier,
                    news_at=max(near),
                )
