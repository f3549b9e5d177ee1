"""Makers of published polls, for the tests of pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.actions.polls import close_poll, publish_poll
from service.actions.receive_texts import receive_texts
from service.actions.record_receipts import ReceivedReceipt, record_receipts
from service.runtime import Runtime
from service.sms.gateway import OutboundText
from tests.fakes import FakeGateway
from tests.make import COACHING, a_text, make_open_poll, run_background

CHALLENGE: Mapping[str, Any] = {
    "slug": "biggest-challenge",
    "title": "The year ahead",
    "questions": [
        {
            "text": "What will be your practice's biggest challenge for the rest of the year?",
            "kind": "choice",
            "choices": [
                "Staffing",
                "Revenue",
                "Prior authorization",
                "Telehealth rules",
                "Something else",
            ],
        },
    ],
}
WAIT: Mapping[str, Any] = {
    "slug": "waiting-days",
    "title": "Waiting for an appointment",
    "questions": [
        {
            "text": "How many days does a new patient wait?",
            "kind": "number",
            "min": 0,
            "max": 400,
            "unit": "days",
        },
    ],
}


async def make_published_poll(
    runtime: Runtime,
    numbers: Sequence[str],
    replies: Mapping[str, int],
    *,
    content: Mapping[str, Any] = COACHING,
    follow_ups: int = 0,
    late: int = 0,
    **changes: Any,
) -> str:
    """A poll that ``numbers`` were asked, answered in order with ``replies``, now public.

    Args:
        replies: a text and how many send it.
        follow_ups: how many of the first to answer send an open answer, too.
        late: how many of the others answer after the close.
    """
    slug = await make_open_poll(runtime, {**content, **changes})
    await run_background(runtime)
    await _deliver(runtime)
    bodies = [body for body, people in replies.items() for _ in range(people)]
    asked = iter(numbers)
    await receive_texts(
        runtime, [a_text(number, body) for body, number in zip(bodies, asked, strict=False)]
    )
    await receive_texts(
        runtime,
        [a_text(number, "We pay an outside coach for them") for number in numbers[:follow_ups]],
    )
    await close_poll(runtime, slug)
    await receive_texts(
        runtime, [a_text(number, "yes") for _, number in zip(range(late), asked, strict=False)]
    )
    await publish_poll(runtime, slug, actor="tests")
    return slug


async def _deliver(runtime: Runtime) -> None:
    """Receipts for what was sent: every fiftieth phone is off."""
    assert isinstance(runtime.gateway, FakeGateway)

    def receipt(index: int, text: OutboundText) -> ReceivedReceipt:
        status = "delivered" if index % 50 else "undelivered"
        return ReceivedReceipt(f"SM{index:032x}", status, text.to)

    await record_receipts(
        runtime, [receipt(index, text) for index, text in enumerate(runtime.gateway.taken, start=1)]
    )
