"""Posting to the product: signatures, time-outs, repeats, connection overrides."""

import asyncio
import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import aiohttp
from yarl import URL

from emulator.settings import Settings

CONNECTIONS: Final = 64
LONGEST_SECONDS: Final = 15.0
CONNECT_FAILURE: Final = 11205
RETRIEVAL_FAILURE: Final = 11200
NO_ADDRESS: Final = 11100


def sign(auth_token: str, url: str, fields: Mapping[str, str]) -> str:
    """X-Twilio-Signature of a form post: the URL, then each key and value in key order."""
    text = url + "".join(key + fields[key] for key in sorted(fields))
    digest = hmac.digest(auth_token.encode(), text.encode(), "sha1")
    return b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class Override:
    """How patient to be with one address (Twilio's connection overrides)."""

    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = LONGEST_SECONDS
    repeats: int = 1
    repeat_on: frozenset[str] = frozenset({"ct"})

    def repeats_on(self, trouble: str) -> bool:
        """Whether ``4xx``, ``5xx``, ``ct`` or ``rt`` is worth another attempt here."""
        return trouble in self.repeat_on or "all" in self.repeat_on


@dataclass(frozen=True, slots=True)
class Target:
    """Where a post really goes, what it is signed for, and how patiently."""

    url: str
    signed_url: str
    override: Override


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, at which try; status 0 and an error code where nothing did."""

    status: int
    content_type: str = ""
    text: str = ""
    error_code: int | None = None
    trouble: str = ""
    tries: int = 1


def read_override(fragment: str, standard: Override) -> Override:
    """Reads ``ct=2000&rt=4000&rc=3&rp=5xx,ct,rt``; the rest stays as it was."""
    if not fragment:
        return standard
    given = {key: values[-1] for key, values in parse_qs(fragment).items()}

    def seconds(key: str, otherwise: float) -> float:
        return float(given[key]) / 1000 if key in given else otherwise

    return Override(
        connect_seconds=seconds("ct", standard.connect_seconds),
        read_seconds=seconds("rt", standard.read_seconds),
        total_seconds=min(seconds("tt", standard.total_seconds), LONGEST_SECONDS),
        repeats=int(given.get("rc", standard.repeats)),
        repeat_on=frozenset(given["rp"].split(",")) if "rp" in given else standard.repeat_on,
    )


class WebhookClient:
    """Posts forms to the product over a bounded number of kept connections."""

    def __init__(self, settings: Settings) -> None:
        self._auth_token = settings.auth_token
        self._standard = Override(repeats=settings.connect_retries)
        self._pause_seconds = settings.connect_retry_seconds
        self._public_base = settings.signing_base_url.rstrip("/")
        inbound = urlsplit(settings.inbound_url)
        self._local_base = f"{inbound.scheme}://{inbound.netloc}" if inbound.netloc else ""
        self._session: aiohttp.ClientSession | None = None
        # Waiting for one's turn must not eat into the 15 seconds of a post, as
        # waiting inside aiohttp's own pool would. Pausing takes nobody else's turn.
        self._turns = asyncio.Semaphore(CONNECTIONS)

    async def start(self) -> None:
        """Opens the connection pool; needs a running loop."""
        self._session = aiohttp.ClientSession(
            # Servers close idle connections after 5 seconds; leave before they do.
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=3.0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stop(self) -> None:
        """Closes every connection."""
        if self._session is not None:
            await self._session.close()

    def target(self, url: str) -> Target:
        """Splits off the override and exchanges public and local base."""
        plain, _, fragment = url.partition("#")
        override = read_override(fragment, self._standard)
        public, local = self._public_base, self._local_base
        if public and local and plain.startswith(public):
            return Target(local + plain[len(public) :], plain, override)
        if public and local and plain.startswith(local):
            return Target(plain, public + plain[len(local) :], override)
        return Target(plain, plain, override)

    async def post(self, target: Target, fields: Mapping[str, str]) -> Answer:
        """Posts a signed form, repeating it as the override allows; never raises."""
        if not target.url:
            return Answer(0, error_code=NO_ADDRESS)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "X-Twilio-Signature": sign(self._auth_token, target.signed_url, fields),
            "I-Twilio-Idempotency-Token": str(uuid4()),
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
        }
        body = urlencode(fields).encode()
        return await self._persist(target, body, headers)

    async def _persist(self, target: Target, body: bytes, headers: dict[str, str]) -> Answer:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + target.override.total_seconds
        for tries in count(1):
            queued_at = loop.time()
            async with self._turns:
                deadline += loop.time() - queued_at
                answer = await self._attempt(target, body, headers, deadline - loop.time())
            answer = replace(answer, tries=tries)
            if not answer.trouble or not target.override.repeats_on(answer.trouble):
                break
            if tries > target.override.repeats or loop.time() + self._pause_seconds >= deadline:
                break
            await asyncio.sleep(self._pause_seconds)
        return answer

    async def _attempt(
        self, target: Target, body: bytes, headers: dict[str, str], seconds_left: float
    ) -> Answer:
        if self._session is None:
            raise RuntimeError("start() comes first")
        override = target.override
        patience = aiohttp.ClientTimeout(
            total=seconds_left,
            sock_connect=override.connect_seconds,
            sock_read=override.read_seconds,
        )
        try:
            async with self._session.post(
                # Encoded already, and signed for exactly this spelling.
                URL(target.url, encoded=True),
                data=body,
                headers=headers,
                timeout=patience,
                allow_redirects=False,
            ) as response:
                text = await response.text(errors="replace")
                return _answer(response.status, response.headers.get("Content-Type", ""), text)
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientOSError) as failure:
            return Answer(0, text=str(failure), error_code=CONNECT_FAILURE, trouble="ct")
        except aiohttp.ServerDisconnectedError as failure:
            # A kept connection that dies before a byte of answer counts as not connected:
            # the product has to know a repeated MessageSid anyway.
            return Answer(0, text=str(failure), error_code=CONNECT_FAILURE, trouble="ct")
        except (TimeoutError, aiohttp.ClientError, ValueError) as failure:
            return Answer(0, text=str(failure), error_code=RETRIEVAL_FAILURE, trouble="rt")


def _answer(status: int, content_type: str, text: str) -> Answer:
    if status < 300:
        return Answer(status, content_type, text)
    trouble = "5xx" if status >= 500 else "4xx"
    return Answer(status, content_type, text, RETRIEVAL_FAILURE, trouble)
