"""Twilio's webhook signature, checked in one pass.

Source: Twilio, "Webhooks security": HMAC-SHA1 under the auth token of the full URL followed by
each form key and value in case-sensitive order of keys; base64. A repeated key counts with its
distinct values, sorted, as the SDK does it. A test proves this equal to the SDK's own check.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit, urlunsplit

_DEFAULT_PORTS = {"https": 443, "http": 80}


class SignatureCheck:
    """Signatures for one public address.

    Args:
        public_base_url: what Twilio was told; proxy headers are never believed.
        tokens: auth tokens, several during a rotation.
    """

    def __init__(self, public_base_url: str, tokens: Sequence[str]) -> None:
        self._bases = [base.encode() for base in _with_and_without_port(public_base_url)]
        self._keyed = [hmac.new(token.encode(), digestmod=hashlib.sha1) for token in tokens]

    def accepts(self, signature: str, target: bytes, pairs: Iterable[tuple[str, str]]) -> bool:
        """Whether ``signature`` is right.

        Args:
            signature: the header's value.
            target: raw path and query as received.
            pairs: the form, blank values kept.
        """
        form = signed_form(pairs).encode()
        given = signature.encode()
        for base in self._bases:
            for keyed in self._keyed:
                mac = keyed.copy()
                mac.update(base + target + form)
                if hmac.compare_digest(base64.b64encode(mac.digest()), given):
                    return True
        return False


def signed_form(pairs: Iterable[tuple[str, str]]) -> str:
    """The form's part of what is signed.

    >>> signed_form([("b", "2"), ("a", "1"), ("a", "1")])
    'a1b2'
    """
    return "".join(map("".join, sorted(set(pairs))))


def _with_and_without_port(base_url: str) -> list[str]:
    """The address as told, and with its port added or dropped: Twilio's services do either."""
    parts = urlsplit(base_url)
    host = parts.netloc.removesuffix(f":{parts.port}")
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return list(
        dict.fromkeys(
            urlunsplit(parts._replace(netloc=netloc)).rstrip("/")
            for netloc in (parts.netloc, f"{host}:{port}", host)
        )
    )
