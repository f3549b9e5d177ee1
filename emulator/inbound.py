"""A text typed on a phone: to the product's webhook, and its answer back."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from emulator.carrier import Carrier
from emulator.messages import API_VERSION, Message, MessageLog, new_sid
from emulator.optout import ANSWERS, recognise
from emulator.phonebook import Phone, Phonebook
from emulator.settings import OptoutMode, Settings
from emulator.twiml import Reply, TwimlError, read_replies
from emulator.webhooks import Answer, Target, WebhookClient

logger = logging.getLogger("emulator")

PLACES = {
    f"{side}{part}": "US" if part == "Country" else ""
    for side in ("From", "To")
    for part in ("City", "State", "Zip", "Country")
}


@dataclass(frozen=True, slots=True)
class TypedText:
    """What somebody types; a known ``sid`` makes it a repeat of that text."""

    body: str
    sid: str = ""
    media: int = 0
    opt_out_type: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the product said; status 0 where it could not be reached."""

    sid: str
    status: int
    replies: list[str]
    error_code: int | None = None


class InboundGateway:
    """Brings texts to the product, one at a time for each phone."""

    def __init__(
        self,
        settings: Settings,
        log: MessageLog,
        phonebook: Phonebook,
        carrier: Carrier,
        webhooks: WebhookClient,
    ) -> None:
        self._settings = settings
        self._log = log
        self._phonebook = phonebook
        self._carrier = carrier
        self._webhooks = webhooks
        self._target = webhooks.target(settings.inbound_url)
        self._fallback = webhooks.target(settings.fallback_url)
        self.failures = 0

    async def send(self, number: str, text: TypedText) -> Outcome:
        """Sends a text after all that this phone typed before; never raises."""
        phone = self._phonebook.phone(number)
        async with phone.turn:
            message = self._record(phone, text)
            opt_out_type = text.opt_out_type or self._obey(phone, text.body)
            fields = self._fields(message, text, opt_out_type)
            return await self._deliver(phone, message, fields)

    def _record(self, phone: Phone, text: TypedText) -> Message:
        known = self._log.find(text.sid) if text.sid else None
        if known is not None:
            return known
        message = self._log.add(
            "inbound",
            self._settings.sender,
            phone.number,
            text.body,
            "received",
            sid=text.sid,
            num_media=text.media,
            messaging_service_sid=self._settings.messaging_service_sid or None,
        )
        self._phonebook.typed(phone, message)
        return message

    def _obey(self, phone: Phone, body: str) -> str:
        """Lets Twilio act on its own words; its answer is not in the account's log."""
        mode = self._settings.optout_mode
        word = recognise(mode, body)
        if not word:
            return ""
        if word != "HELP":
            phone.blocked = word == "STOP"
        self._phonebook.arrived(phone, ANSWERS[word], new_sid())
        return word if mode is OptoutMode.ADVANCED else ""

    def _fields(self, message: Message, text: TypedText, opt_out_type: str) -> dict[str, str]:
        fields = {
            **PLACES,
            "SmsMessageSid": message.sid,
            "NumMedia": str(message.num_media),
            "ReferralNumMedia": "0",
            "SmsSid": message.sid,
            "SmsStatus": "received",
            "Body": text.body,
            "To": message.to,
            "NumSegments": str(message.num_segments),
            "MessageSid": message.sid,
            "AccountSid": self._settings.account_sid,
            "From": message.sender,
            "ApiVersion": API_VERSION,
        }
        if message.messaging_service_sid:
            fields["MessagingServiceSid"] = message.messaging_service_sid
        if opt_out_type:
            fields["OptOutType"] = opt_out_type
        for index in range(message.num_media):
            fields[f"MediaUrl{index}"] = f"https://api.twilio.com/media/{message.sid}/{index}"
            fields[f"MediaContentType{index}"] = "image/jpeg"
        fields.update(text.extra)
        return fields

    async def _deliver(self, phone: Phone, message: Message, fields: dict[str, str]) -> Outcome:
        answer, replies = await self._ask(self._target, fields)
        if answer.error_code is not None and self._fallback.url:
            failed = {"ErrorCode": str(answer.error_code), "ErrorUrl": self._target.signed_url}
            answer, replies = await self._ask(self._fallback, fields | failed)
            answered_by = self._fallback
        else:
            answered_by = self._target
        message.webhook = {
            "status": answer.status,
            "error_code": answer.error_code,
            "tries": answer.tries,
            "by_fallback": answered_by is self._fallback,
            "replies": len(replies),
        }
        if answer.error_code is not None:
            self.failures += 1
            logger.warning("inbound lost: %s, error %s", message.sid, answer.error_code)
        for reply in replies:
            self._reply(phone, reply, answered_by)
        bodies = [reply.body for reply in replies]
        return Outcome(message.sid, answer.status, bodies, answer.error_code)

    async def _ask(self, target: Target, fields: dict[str, str]) -> tuple[Answer, list[Reply]]:
        answer = await self._webhooks.post(target, fields)
        if answer.error_code is not None:
            return answer, []
        try:
            return answer, read_replies(answer.content_type, answer.text)
        except TwimlError as failure:
            return Answer(answer.status, error_code=failure.code), []

    def _reply(self, phone: Phone, reply: Reply, answered_by: Target) -> None:
        callback = reply.status_callback
        message = self._log.add(
            "outbound-reply",
            reply.to or phone.number,
            self._settings.sender,
            reply.body,
            "queued",
            num_media=reply.media,
            messaging_service_sid=self._settings.messaging_service_sid or None,
            status_callback=urljoin(answered_by.signed_url, callback) if callback else "",
        )
        self._carrier.reply(message)
