"""Twilio through its SDK, on an HTTP client of ours.

The SDK's own asynchronous client has no time-out and posts again when told to retry, which
doubles texts; its httpx route is ten times slower (docs/adr/0003). Ours posts once.
"""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from service.domain.carrier_errors import carrier_error
from service.domain.diagnosis import InboundWebhook
from service.errors import NotTakenError, RejectedError, SendError, UnknownOutcomeError
from service.sms import listing
from service.sms.gateway import (
    CarrierAccount,
    ListedText,
    OutboundText,
    RefusedText,
    TakenText,
)

TIMEOUT_SECONDS = 10
_MESSAGES_HOST = re.compile(r"https://api\.twilio\.com(?=/)")
_ANY_HOST = re.compile(r"https://[a-z0-9.-]+\.twilio\.com(?=/)")
_NOT_FOUND = 20404
_WRONG_CREDENTIALS = 20003
_MOST_LISTED = 50
_LARGEST_PAGE = 1_000
_ACCOUNT_WAIT_SECONDS = 60.0


class SingleTryHttpClient(AsyncHttpClient):  # type: ignore[misc]
    """One request, one attempt, ten seconds, and outcomes told apart."""

    def __init__(self, base_url: str, *, connections: int) -> None:
        super().__init__(logging.getLogger("pollwire.twilio"), is_async=True)
        self._base_url = base_url.rstrip("/")
        at_twilio = (urlsplit(base_url).hostname or "").endswith(".twilio.com")
        # Elsewhere one address stands for all of Twilio's hosts; nothing may slip out to it.
        self._redirected = _MESSAGES_HOST if at_twilio else _ANY_HOST
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, connect=5),
            connector=aiohttp.TCPConnector(limit=connections),
        )

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  (the SDK's signature)
        allow_redirects: bool = False,
    ) -> Response:
        """Make the SDK's request.

        Raises:
            NotTakenError: no connection, or 429.
            UnknownOutcomeError: connection lost, time-out, or 5xx.
        """
        headers = dict(headers or {})
        if auth:
            headers["Authorization"] = aiohttp.encode_basic_auth(*auth)
        try:
            async with self._session.request(
                method.upper(),
                self._redirected.sub(lambda _: self._base_url, url, count=1),
                params=cast("Any", params),
                data=data,
                headers=headers,
                allow_redirects=allow_redirects,
            ) as answer:
                body = await answer.text()
                status, answer_headers = answer.status, answer.headers
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotTakenError(f"no connection to the API: {type(error).__name__}") from error
        except (TimeoutError, aiohttp.ClientError) as error:
            raise UnknownOutcomeError(f"no answer from the API: {type(error).__name__}") from error
        if status == 429:
            wait = answer_headers.get("Retry-After", "")
            raise NotTakenError(
                "the API asks to slow down",
                code=20429,
                retry_after_seconds=float(wait) if wait.isdigit() else 1.0,
            )
        if status >= 500:
            raise UnknownOutcomeError(f"the API answered {status}")
        return Response(status, body, answer_headers)

    async def download(self, url: str) -> str:
        """A file that the API refers to, without our credentials.

        Raises:
            SendError: it could not be had.
        """
        return await listing.download(self._session, url)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


class TwilioGateway:
    """``SmsGateway`` and ``AccountReader`` on one account. Make it inside the running event loop.

    Args:
        username: account sid, or API key sid.
        password: auth token, or API key secret.
        base_url: where requests for ``api.twilio.com`` go, and for Twilio's other hosts too
            unless it is Twilio's own.
        connections: most requests in flight.
    """

    def __init__(
        self, account_sid: str, username: str, password: str, *, base_url: str, connections: int
    ) -> None:
        self._http = SingleTryHttpClient(base_url, connections=connections)
        self._client = Client(username, password, account_sid, http_client=self._http)

    async def send(self, text: OutboundText) -> TakenText:
        """See :class:`SmsGateway`."""
        origin: dict[str, str] = (
            {"messaging_service_sid": text.messaging_service_sid}
            if text.messaging_service_sid
            else {"from_": text.sender}
        )
        try:
            message = await self._client.messages.create_async(
                to=text.to,
                body=text.body,
                status_callback=text.status_callback,
                validity_period=text.validity_seconds,
                **origin,
            )
        except TwilioRestException as error:
            raise _text_refusal(error) from error
        except (TwilioException, ValueError, KeyError) as error:
            raise UnknownOutcomeError("the API's answer cannot be read") from error
        return TakenText(str(message.sid), str(message.status))

    async def find(self, *, to: str, since: datetime) -> list[TakenText]:
        """See :class:`SmsGateway`."""
        with _reading():
            found = await self._client.messages.list_async(to=to, limit=_MOST_LISTED)
        return [
            listing.taken_text(message)
            for message in found
            if message.date_created is None or message.date_created >= since
        ]

    async def senders_of(self, messaging_service_sid: str) -> list[str]:
        """See :class:`CarrierLists`."""
        service = self._client.messaging.v1.services(messaging_service_sid)
        with _reading():
            numbers = await service.phone_numbers.list_async(page_size=_LARGEST_PAGE)
            codes = await service.short_codes.list_async(page_size=_LARGEST_PAGE)
        return [
            *(str(one.phone_number) for one in numbers),
            *(str(one.short_code) for one in codes),
        ]

    async def received(self, *, to: str, since: datetime) -> list[ListedText]:
        """See :class:`CarrierLists`."""
        with _reading():
            listed = [
                message
                async for message in await self._client.messages.stream_async(
                    to=to, date_sent_after=since.astimezone(UTC), page_size=_LARGEST_PAGE
                )
            ]
        found = (listing.received_text(message) for message in listed)
        return [text for text in found if text is not None and text.received_at >= since]

    async def refused(self, *, sender: str, since: datetime) -> list[RefusedText]:
        """See :class:`CarrierLists`.

        Without a filter on the date, for a text that was never sent may have none: the list is
        newest first, so it ends with the first page that is older throughout.
        """
        found: list[RefusedText] = []
        with _reading():
            page = await self._client.messages.page_async(from_=sender, page_size=_LARGEST_PAGE)
            while page is not None:
                newer, refused = listing.refused_texts(page, since)
                found += refused
                page = await page.next_page_async() if newer else None
        return found

    async def deactivated(self, day: date) -> list[str]:
        """See :class:`CarrierLists`."""
        with _reading():
            report = await self._client.messaging.v1.deactivations().fetch_async(date=day)
        if not report.redirect_to:
            raise RejectedError(f"there is no report of {day}", code=_NOT_FOUND)
        return listing.deactivated_numbers(await self._http.download(str(report.redirect_to)))

    async def read_account(self) -> CarrierAccount:
        """See :class:`AccountReader`."""
        resource = self._client.api.v2010.accounts(self._client.account_sid)
        with _reading():
            answer = await resource.fetch_with_http_info_async()
        now = None
        with suppress(ValueError, TypeError):
            now = parsedate_to_datetime(answer.headers.get("Date", ""))
        return CarrierAccount(str(answer.data.friendly_name), str(answer.data.status), now)

    async def find_sender(self, address: str) -> InboundWebhook | None:
        """See :class:`AccountReader`."""
        with _reading():
            if address.startswith("+"):
                owned = await self._client.incoming_phone_numbers.list_async(
                    phone_number=address, limit=_MOST_LISTED
                )
            else:
                owned = await self._client.short_codes.list_async(
                    short_code=address, limit=_MOST_LISTED
                )
        for sender in owned:
            if address in (
                getattr(sender, "phone_number", None),
                getattr(sender, "short_code", ""),
            ):
                return listing.number_webhook(sender)
        return None

    async def find_messaging_service(self, sid: str) -> InboundWebhook | None:
        """See :class:`AccountReader`."""
        try:
            with _reading():
                service = await self._client.messaging.v1.services(sid).fetch_async()
        except RejectedError as error:
            if error.code == _NOT_FOUND:
                return None
            raise
        return listing.service_webhook(service)

    async def close(self) -> None:
        """See :class:`SmsGateway`."""
        await self._http.close()


@contextmanager
def _reading() -> Iterator[None]:
    """Reading changes nothing, so every failure is just that."""
    try:
        yield
    except TwilioRestException as error:
        raise _refusal(error) from error
    except (TwilioException, ValueError, KeyError) as error:
        # The SDK tells a failed list by a bare exception that carries the answer.
        code = _code_of(error.args[1]) if len(error.args) == 2 else 0
        if code:
            raise RejectedError(f"the API refused ({code})", code=code) from error
        raise SendError("the API's answer cannot be read") from error


def _code_of(answer: object) -> int:
    try:
        return int(json.loads(answer.text)["code"])  # type: ignore[attr-defined]
    except (AttributeError, ValueError, KeyError, TypeError):
        return 0


def _refusal(error: TwilioRestException) -> RejectedError:
    code = int(error.code or error.status)
    return RejectedError(f"the API refused ({code}): {error.msg}"[:200], code=code)


def _text_refusal(error: TwilioRestException) -> RejectedError | NotTakenError:
    """A refused text; one that the account's own trouble refused is as good as before."""
    refusal = _refusal(error)
    keeps_text = carrier_error(refusal.code).keeps_text
    if not keeps_text and error.status not in (401, 403):
        return refusal
    return NotTakenError(
        f"the account cannot send ({refusal.code}): {error.msg}"[:200],
        # A door that is shut is one matter, by whatever code it says so.
        code=refusal.code if keeps_text else _WRONG_CREDENTIALS,
        retry_after_seconds=_ACCOUNT_WAIT_SECONDS,
    )
