"""``POST /webhooks/twilio/status?delivery=<id>``: a receipt in, 204 out."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from service.actions.record_receipts import ReceivedReceipt
from webhooks.batch import Batcher, QueueFullError
from webhooks.forms import Form, FormRefusedError, read_form
from webhooks.signature import SignatureCheck


class StatusEndpoint:
    """Takes in receipts, in whatever order they come."""

    def __init__(self, check: SignatureCheck, batcher: Batcher[ReceivedReceipt, None]) -> None:
        self._check = check
        self._batcher = batcher

    async def handle(self, request: Request) -> Response:
        """204; 400, 403 or 413 for what is refused; 503 when Twilio should try again."""
        try:
            form = await read_form(request, self._check)
            receipt = received_receipt(form, request.query_params.get("delivery", ""))
        except FormRefusedError as refused:
            return refused.response
        try:
            await self._batcher.submit(receipt)
        except QueueFullError:
            return PlainTextResponse("busy, try again\n", 503, {"Retry-After": "1"})
        return Response(status_code=204)


def received_receipt(form: Form, delivery: str) -> ReceivedReceipt:
    """The receipt a form tells of.

    Raises:
        FormRefusedError: which text or which status is missing.
    """
    return ReceivedReceipt(
        message_sid=form.required("MessageSid"),
        status=form.required("MessageStatus").lower(),
        number=form.get("To"),
        delivery_id=int(delivery) if delivery.isdecimal() and len(delivery) < 19 else None,
        error_code=form.number("ErrorCode"),
    )
