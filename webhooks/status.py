"""``POST /webhooks/twilio/status?delivery=<id>``: a receipt in, 204 out."""

from urllib.parse import parse_qs

from service.actions.record_receipts import ReceivedReceipt
from webhooks.batch import Batcher, QueueFullError
from webhooks.door import Posted, Reply, try_again
from webhooks.forms import Form, read_form
from webhooks.signature import SignatureCheck

_TAKEN = Reply(204)


class StatusEndpoint:
    """Takes in receipts, in whatever order they come."""

    def __init__(self, check: SignatureCheck, batcher: Batcher[ReceivedReceipt, None]) -> None:
        self._check = check
        self._batcher = batcher

    async def handle(self, posted: Posted) -> Reply:
        """204; 503 when Twilio should try again.

        Raises:
            RefusedError: the form is wrong or wrongly signed.
        """
        form = read_form(posted, self._check)
        delivery = parse_qs(posted.query.decode("latin-1")).get("delivery", [""])
        try:
            await self._batcher.submit(received_receipt(form, delivery[-1]))
        except QueueFullError:
            return try_again("busy, try again")
        return _TAKEN


def received_receipt(form: Form, delivery: str) -> ReceivedReceipt:
    """The receipt a form tells of.

    Raises:
        RefusedError: which text or which status is missing.
    """
    return ReceivedReceipt(
        message_sid=form.required("MessageSid"),
        status=form.required("MessageStatus").lower(),
        number=form.get("To"),
        delivery_id=int(delivery) if delivery.isdecimal() and len(delivery) < 19 else None,
        error_code=form.number("ErrorCode"),
    )
