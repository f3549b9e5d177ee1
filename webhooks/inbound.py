"""``POST /webhooks/twilio/inbound``: a member's text in, TwiML out."""

from collections.abc import Callable

from service.store.inbound import ReceivedText
from service.store.inbound import Response as Answer
from webhooks.batch import Batcher, QueueFullError
from webhooks.door import Posted, Reply, try_again
from webhooks.forms import Form, read_form
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

    async def handle(self, posted: Posted) -> Reply:
        """TwiML; 503 when Twilio should try again.

        Raises:
            RefusedError: the form is wrong or wrongly signed.
        """
        text = received_text(read_form(posted, self._check))
        try:
            answer = await self._batcher.submit(text)
        except QueueFullError:
            return try_again("busy, try again")
        if answer.delivery_id is None:
            return twiml(None)
        return twiml(answer.body, self._status_callback(answer.delivery_id))


def received_text(form: Form) -> ReceivedText:
    """The text a form tells of.

    Raises:
        RefusedError: who sent it, or which text it is, is missing.
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
