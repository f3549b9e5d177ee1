"""Look for texts whose webhook got lost: Twilio gives up after seconds, and its list keeps them.

How far each sender's list was read is stored once a look has come to its end, so after an outage
of ours or of the API the next look begins where the last one ended.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from service.actions.receive_late import LateText, receive_late
from service.domain.programs import Program
from service.errors import RejectedError
from service.runtime import Runtime
from service.sms.gateway import ListedText, SmsGateway
from service.store.engine import is_disconnect
from service.store.inbound import ReceivedText, known_texts
from service.store.looks import BACKFILL, advance_look, begin_look

OVERLAP = timedelta(minutes=10)
"""How much is read twice: the list may lag, and clocks differ."""
WEBHOOK_MAY_COME = timedelta(seconds=30)
"""Younger texts are left alone: Twilio tries the webhook for 15 seconds, then the fallback."""
FIRST_LOOK = timedelta(hours=24)
LONGEST_LOOK = timedelta(days=7)
_CHUNK = 1_000


async def backfill(runtime: Runtime, gateway: SmsGateway) -> int:
    """Take in what is missing of every program's texts; gives how many there were.

    Raises:
        SendError: a list could not be read; what was taken in before stays.
    """
    async with runtime.sessions() as session:
        programs = (await runtime.catalog.programs(session)).all
    taken, trouble = 0, None
    for program in programs:
        try:
            taken += await _look_at(runtime, gateway, program)
        except (RejectedError, SQLAlchemyError) as error:
            # What is wrong with one program's sender, or with a text to it, is not the others'.
            if is_disconnect(error):
                raise
            trouble = error
    if trouble is not None:
        raise trouble
    return taken


async def _look_at(runtime: Runtime, gateway: SmsGateway, program: Program) -> int:
    """The lists of one program's senders, its own first."""
    taken = await _look(runtime, gateway, program, program.sender)
    if program.messaging_service_sid:
        for address in await gateway.senders_of(program.messaging_service_sid):
            if address != program.sender:
                taken += await _look(runtime, gateway, program, address)
    return taken


async def _look(runtime: Runtime, gateway: SmsGateway, program: Program, address: str) -> int:
    now, name = runtime.clock.now(), BACKFILL + address
    async with runtime.sessions.begin() as session:
        until = await begin_look(session, name, now - FIRST_LOOK)
    since = max(until - OVERLAP, now - LONGEST_LOOK)
    settled = now - WEBHOOK_MAY_COME
    # Listed newest first, so that of two texts of one second the earlier stays the earlier.
    listed = (await gateway.received(to=address, since=since))[::-1]
    listed.sort(key=lambda one: one.received_at)
    missing = await _unknown(runtime, [one for one in listed if one.received_at <= settled])
    order: dict[str, list[str]] = defaultdict(list)
    for one in listed:
        order[one.number].append(one.message_sid)
    taken = await _take_in(runtime, missing, program, order, look=name)
    async with runtime.sessions.begin() as session:
        await advance_look(session, name, settled)
    return taken


async def _take_in(
    runtime: Runtime,
    missing: Sequence[ListedText],
    program: Program,
    order: Mapping[str, Sequence[str]],
    *,
    look: str,
) -> int:
    """One after another; a text that cannot be stored harms no other, and fails the look.

    Args:
        order: MessageSids of each number's texts, oldest first.
    """
    taken, trouble = 0, None
    for one in missing:
        sids = order[one.number]
        later = sids[sids.index(one.message_sid) + 1 :]
        late = LateText(_received(one), one.received_at, later)
        try:
            taken += await receive_late(runtime, late, program, look=look)
        except SQLAlchemyError as error:
            if is_disconnect(error):
                raise
            trouble = error
    if trouble is not None:
        raise trouble
    return taken


async def _unknown(runtime: Runtime, listed: Sequence[ListedText]) -> list[ListedText]:
    """Those that no webhook has brought, most likely; under the lock it is looked at again."""
    known: set[str] = set()
    async with runtime.sessions() as session:
        for first in range(0, len(listed), _CHUNK):
            sids = [one.message_sid for one in listed[first : first + _CHUNK]]
            known |= await known_texts(session, sids)
    return [one for one in listed if one.message_sid not in known]


def _received(listed: ListedText) -> ReceivedText:
    return ReceivedText(
        message_sid=listed.message_sid,
        number=listed.number,
        to=listed.to,
        body=_storable(listed.body),
        messaging_service_sid=listed.messaging_service_sid,
        media_count=listed.media_count,
    )


def _storable(body: str) -> str:
    """No database holds NUL, nor half of a character, which JSON can bring."""
    return body.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
