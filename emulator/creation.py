"""Reading a request to create a message: every refusal with Twilio's own code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from emulator.settings import Settings

LONGEST_BODY: Final = 1600
LONGEST_VALIDITY_SECONDS: Final = 36_000.0
SOONEST_SECONDS: Final = 300
LATEST_SECONDS: Final = 35 * 86_400

# Twilio's magic numbers, by To (test credentials page).
MAGIC: Final = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
MESSAGES: Final = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too many requests",
    21211: "Invalid 'To' Phone Number",
    21408: "Permission to send an SMS has not been enabled for the region",
    21602: "Message body is required.",
    21603: "A 'From' phone number or a known MessagingServiceSid is required.",
    21604: "A 'To' phone number is required.",
    21606: "The 'From' phone number is not a valid sender of this account.",
    21610: "Attempt to send to unsubscribed recipient",
    21611: "This 'From' number has exceeded the maximum number of queued messages",
    21612: "The 'To' phone number cannot be reached from this sender",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
    30409: "The message can no longer be changed in this way",
    35111: "SendAt must be a time between 300 seconds and 35 days from now.",
    35117: "Only a Messaging Service can schedule a message.",
}
PHONE: Final = re.compile(r"\+(?:1[2-9]\d{9}|[2-9]\d{6,14})")


class RefusalError(Exception):
    """A request that gets an error answer."""

    def __init__(self, code: int, status: int = 400) -> None:
        super().__init__(MESSAGES[code])
        self.code = code
        self.status = status

    def body(self) -> dict[str, object]:
        """The JSON of Twilio's errors."""
        return {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that may be accepted; ``send_at`` is None for now."""

    to: str
    body: str
    service_sid: str | None
    num_media: int
    status_callback: str
    validity_seconds: float
    send_at: float | None


def read_draft(fields: Mapping[str, list[str]], settings: Settings, now: float) -> Draft:
    """Checks a create request in the order Twilio does.

    Raises:
        RefusalError: with the code of the first thing wrong.
    """

    def given(key: str) -> str:
        return fields[key][-1] if key in fields else ""

    to = given("To")
    if not to:
        raise RefusalError(21604)
    service_sid = _check_sender(given("From"), given("MessagingServiceSid"), settings)
    body, media = given("Body"), fields.get("MediaUrl", [])
    _check_body(body, bool(media or given("ContentSid")))
    if to in MAGIC:
        raise RefusalError(MAGIC[to])
    if not PHONE.fullmatch(to):
        raise RefusalError(21211)
    return Draft(
        to=to,
        body=body,
        service_sid=service_sid,
        num_media=len(media),
        status_callback=given("StatusCallback"),
        validity_seconds=float(given("ValidityPeriod") or LONGEST_VALIDITY_SECONDS),
        send_at=_read_send_at(given("SendAt"), service_sid, now),
    )


def _check_sender(sender: str, service_sid: str, settings: Settings) -> str | None:
    if service_sid and service_sid == settings.messaging_service_sid:
        return service_sid
    if not sender:
        raise RefusalError(21603)
    if sender != settings.sender:
        raise RefusalError(21606)
    return None


def _check_body(body: str, has_other_content: bool) -> None:
    if not body and not has_other_content:
        raise RefusalError(21602)
    if len(body) > LONGEST_BODY:
        raise RefusalError(21617)


def _read_send_at(text: str, service_sid: str | None, now: float) -> float | None:
    if not text:
        return None
    if service_sid is None:
        raise RefusalError(35117)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as failure:
        raise RefusalError(35111) from failure
    send_at = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    if not SOONEST_SECONDS < send_at - now <= LATEST_SECONDS:
        raise RefusalError(35111)
    return send_at
