"""What Twilio tells, in our own terms: texts, numbers given up, where a sender's texts go."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import aiohttp

from service.domain.carrier_errors import UNSUBSCRIBED
from service.domain.diagnosis import InboundWebhook
from service.errors import SendError
from service.sms.gateway import ListedText, RefusedText, TakenText

DOWNLOAD_SECONDS = 120
_DIGITS = re.compile(r"\d+")


def taken_text(message: Any) -> TakenText:
    """A listed message as a text we handed over."""
    return TakenText(
        str(message.sid),
        str(message.status),
        message.body or "",
        message.date_created,
        message.error_code,
    )


def received_text(message: Any) -> ListedText | None:
    """A listed message as a received text; ``None`` for one that we sent."""
    received_at = message.date_created or message.date_sent
    if message.direction != "inbound" or received_at is None or not message.from_:
        return None
    media = str(message.num_media or "")
    return ListedText(
        message_sid=str(message.sid),
        number=str(message.from_),
        to=str(message.to or ""),
        body=message.body or "",
        received_at=received_at,
        messaging_service_sid=message.messaging_service_sid or "",
        media_count=int(media) if media.isdecimal() else 0,
    )


def refused_texts(page: Iterable[Any], since: datetime) -> tuple[bool, list[RefusedText]]:
    """Whether a page holds anything of ``since`` or later, and what of it was refused."""
    newer = [message for message in page if message.date_created and message.date_created >= since]
    return bool(newer), [
        RefusedText(str(message.to), message.date_created)
        for message in newer
        if message.error_code is not None and int(message.error_code) == UNSUBSCRIBED
    ]


def deactivated_numbers(report: str) -> list[str]:
    r"""The American numbers of a report: one a line, with or without ``+1``, each once.

    >>> deactivated_numbers("number\n13035550123\n+13035550124\n3035550123\n")
    ['+13035550123', '+13035550124']
    """
    found: dict[str, None] = {}
    for line in report.splitlines():
        digits = "".join(_DIGITS.findall(line.partition(",")[0]))
        if len(digits) in (10, 11):
            found["+1" + digits[-10:]] = None
    return list(found)


def number_webhook(sender: Any) -> InboundWebhook:
    """Where texts to a number or short code of the account go."""
    return InboundWebhook(
        sender.sms_url or "",
        sender.sms_method or "POST",
        sender.sms_fallback_url or "",
        application_sid=getattr(sender, "sms_application_sid", None) or "",
    )


def service_webhook(service: Any) -> InboundWebhook:
    """Where texts to a messaging service go."""
    return InboundWebhook(
        service.inbound_request_url or "",
        service.inbound_method or "POST",
        service.fallback_url or "",
        left_to_number=bool(service.use_inbound_webhook_on_number),
    )


async def download(session: aiohttp.ClientSession, url: str) -> str:
    """A file that the API refers to.

    Raises:
        SendError: it could not be had.
    """
    patience = aiohttp.ClientTimeout(total=DOWNLOAD_SECONDS, connect=5)
    try:
        async with session.get(url, timeout=patience) as answer:
            status, body = answer.status, await answer.text("utf-8", "replace")
    except (TimeoutError, aiohttp.ClientError, ValueError) as error:
        raise SendError(f"a file could not be had: {type(error).__name__}") from error
    if status != 200:
        raise SendError(f"a file could not be had: {status}")
    return body
