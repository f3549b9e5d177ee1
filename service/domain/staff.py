"""People who run polls: what they may do."""

import re
from enum import StrEnum

from service.errors import InvalidInputError

_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;.]+(\.[^@\s<>,;.]+)+")


class StaffRole(StrEnum):
    """What a person on the staff may do: look, run polls, manage the installation."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


def parse_email(typed: str) -> str:
    """An address in the one form it is stored and compared in.

    Raises:
        InvalidInputError: it is no e-mail address.

    >>> parse_email(" Ana@Example.org ")
    'ana@example.org'
    """
    address = typed.strip().lower()
    if not _EMAIL.fullmatch(address):
        raise InvalidInputError(f"{typed!r} is not an e-mail address")
    return address
