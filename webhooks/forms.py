"""Reading a signed form off a raw ASGI request, with every refusal in one place."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse

from webhooks.signature import SignatureCheck

LARGEST_BODY_BYTES = 64 * 1024
_MOST_FIELDS = 200


class FormRefusedError(Exception):
    """The request is not a form that may be acted on; ``response`` says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.response = PlainTextResponse(sentence + "\n", status)


@dataclass(frozen=True, slots=True)
class Form:
    """A verified form: first value of each field, NUL replaced, since no database holds one."""

    fields: dict[str, str]

    def get(self, name: str) -> str:
        """A field's value, empty where it is missing."""
        return self.fields.get(name, "")

    def required(self, name: str) -> str:
        """A field's value.

        Raises:
            FormRefusedError: 400, it is missing or blank.
        """
        value = self.get(name).strip()
        if not value:
            raise FormRefusedError(400, f"{name} is missing")
        return value

    def number(self, name: str) -> int | None:
        """A field as a whole number, ``None`` where it is none."""
        value = self.get(name)
        return int(value) if value.isdecimal() and len(value) < 10 else None


async def read_form(request: Request, check: SignatureCheck) -> Form:
    """The form, once its signature is right.

    Raises:
        FormRefusedError: too large or not a form (400, 413), or wrongly signed (403).
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY_BYTES:
                raise FormRefusedError(413, "the form is too large")
    except ClientDisconnect:
        raise FormRefusedError(400, "the connection was lost") from None
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise FormRefusedError(400, "the form has too many fields") from None
    signature = request.headers.get("x-twilio-signature", "")
    query = request.scope["query_string"]
    raw_path = request.scope.get("raw_path") or request.scope["path"].encode()
    target = raw_path.split(b"?")[0] + (b"?" + query if query else b"")
    if not check.accepts(signature, target, pairs):
        raise FormRefusedError(403, "the signature is wrong")
    fields: dict[str, str] = {}
    for key, value in pairs:
        fields.setdefault(key, value.replace("\x00", "\ufffd"))
    return Form(fields)
