"""Reading a signed form, with every refusal in one place."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from webhooks.door import Posted, RefusedError
from webhooks.signature import SignatureCheck

_MOST_FIELDS = 200


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
            RefusedError: 400, it is missing or blank.
        """
        value = self.get(name).strip()
        if not value:
            raise RefusedError(400, f"{name} is missing")
        return value

    def number(self, name: str) -> int | None:
        """A field as a whole number, ``None`` where it is none."""
        value = self.get(name)
        return int(value) if value.isdecimal() and len(value) < 10 else None


def read_form(posted: Posted, check: SignatureCheck) -> Form:
    """The form, once its signature is right.

    Raises:
        RefusedError: not a form (400), or wrongly signed (403).
    """
    try:
        pairs = parse_qsl(
            posted.body.decode("utf-8", "replace"),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise RefusedError(400, "the form has too many fields") from None
    if not check.accepts(posted.signature, posted.target, pairs):
        raise RefusedError(403, "the signature is wrong")
    fields: dict[str, str] = {}
    for key, value in pairs:
        fields.setdefault(key, value.replace("\x00", "\ufffd"))
    return Form(fields)
