"""Phone numbers: how people type them, how we key, lock and mask them."""

import hashlib
import hmac
from functools import lru_cache

import phonenumbers

from service.errors import InvalidInputError

_SMS_TYPES = frozenset(
    {
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        phonenumbers.PhoneNumberType.VOIP,
        phonenumbers.PhoneNumberType.PERSONAL_NUMBER,
    }
)


def parse_number(typed: str, *, regions: tuple[str, ...] = ("US",)) -> str:
    """E.164 form of a number as people type it.

    Args:
        typed: the number; the first of ``regions`` is assumed where no country code stands.
        regions: countries served, ISO 3166 codes.

    Raises:
        InvalidInputError: not a valid number that can receive texts, or of another country.

    >>> parse_number("(202) 456-1111")
    '+12024561111'
    """
    try:
        number = phonenumbers.parse(typed, regions[0])
    except phonenumbers.NumberParseException:
        raise InvalidInputError(f"{typed!r} is not a phone number") from None
    if number.extension:
        raise InvalidInputError(f"{typed!r} has an extension and cannot receive texts")
    if not phonenumbers.is_valid_number(number):
        raise InvalidInputError(f"{typed!r} is not a valid phone number")
    if phonenumbers.region_code_for_number(number) not in regions:
        raise InvalidInputError(f"{typed!r} is not a number of {', '.join(regions)}")
    if phonenumbers.number_type(number) not in _SMS_TYPES:
        raise InvalidInputError(f"{typed!r} cannot receive texts")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=4)
def _keyed(secret: bytes) -> "hmac.HMAC":
    return hmac.new(secret, digestmod=hashlib.sha256)


def number_key(secret: bytes, number: str) -> bytes:
    """Look-up and opt-out key of a number: HMAC-SHA-256 under ``NUMBER_KEY``, 32 bytes."""
    mac = _keyed(secret).copy()
    mac.update(number.encode())
    return mac.digest()


def lock_key(key: bytes) -> int:
    """Advisory-lock key of a number: the first 8 bytes of its ``number_key``, signed."""
    return int.from_bytes(key[:8], "big", signed=True)


def mask(number: str) -> str:
    """A number fit for a page.

    >>> mask("+12024561111")
    '•••-•••-1111'
    """
    return f"•••-•••-{number[-4:]}"


def key_fingerprint(secret: bytes) -> str:
    """What may be stored of a key to know it again; says nothing of the key.

    >>> key_fingerprint(b"tests")
    '1cbcb2933d11f51e'
    """
    return hashlib.sha256(b"pollwire number key\0" + secret).hexdigest()[:16]
