"""``POST /webhooks/twilio/inbound``: a member's text in, TwiML out."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from service.store.inbound import ReceivedText
from service.store.inbound import Response as Answer
from webhooks.batch import Batcher, QueueFullError
from webhooks.forms import Form, FormRefusedError, read_form
from webhooks.signature import SignatureCheck
from webhooks.twiml import twiml

LONGEST_BODY = 10_000
"""Characters of a text that are kept; Twilio's longest has 1,600."""


class InboundEndpoint:
    """Takes in texts: nothing is answered before its commit.

    Args:
        status_callback: address for the receipts of the answer, by delivery.
    """

    def __init__(
        self,
        check: SignatureCheck,
        batcher: Batcher[ReceivedText, Answer],
        status_callback: Callable[[int], str],
    ) -> None:
        self._check = check
        self._batcher = batcher
        self._status_callback = status_callback

    async def handle(self, request: Request) -> Response:
        """TwiML; 400, 403 or 413 for what is refused; 503 when Twilio should try again."""
        try:
            form = await read_form(request, self._check)
            text = received_text(form)
        except FormRefusedError as refused:
            return refused.response
        try:
            answer = await self._batcher.submit(text)
        except QueueFullError:
            return PlainTextResponse("busy, try again\n", 503, {"Retry-After": "1"})
        if answer.delivery_id is None:
            return twiml(None)
        return twiml(answer.body, self._status_callback(answer.delivery_id))


def received_text(form: Form) -> ReceivedText:
    """The text a form tells of.

    Raises:
        FormRefusedError: who sent it, or which text it is, is missing.
    """
    return ReceivedText(
        message_sid=form.required("MessageSid"),
        number=form.required("From"),
        to=form.get("To"),
        body=form.get("Body")[:LONGEST_BODY],
        messaging_service_sid=form.get("MessagingServiceSid"),
        media_count=form.number("NumMedia") or 0,
        opt_out_type=form.get("OptOutType"),
    )
