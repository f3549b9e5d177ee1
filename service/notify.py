"""Alerts to an address of the staff's own: one signed POST each."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import aiohttp

from service.errors import NotifyError

SIGNATURE_HEADER = "X-Pollwire-Signature"
TIMEOUT_SECONDS = 5


class Notifier(Protocol):
    """Where alerts go besides the staff's phones."""

    async def post(self, message: Mapping[str, Any], now: datetime) -> None:
        """Hand over one message, exactly one attempt.

        Raises:
            NotifyError: it was not taken.
        """


def signature(secret: bytes, body: bytes, now: datetime) -> str:
    """The header's value: the time, and HMAC-SHA-256 over time, a full stop and body.

    The time lets the receiver refuse an old message sent again.
    """
    time = str(int(now.timestamp()))
    mac = hmac.new(secret, time.encode() + b"." + body, hashlib.sha256)
    return f"t={time},v1={mac.hexdigest()}"


class WebhookNotifier:
    """``Notifier`` by HTTP POST of JSON. Make it inside the running event loop.

    Args:
        url: where to post; never shown, since it may hold a token.
        secret: key of the signature.
    """

    def __init__(self, url: str, secret: bytes) -> None:
        self._url = url
        self._secret = secret
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))

    async def post(self, message: Mapping[str, Any], now: datetime) -> None:
        """See :class:`Notifier`."""
        body = json.dumps(dict(message), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: signature(self._secret, body, now),
        }
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                status = answer.status
        except (TimeoutError, aiohttp.ClientError) as error:
            raise NotifyError(f"the alert webhook: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise NotifyError(f"the alert webhook answered {status}")

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()
