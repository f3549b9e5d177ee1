"""Twilio's REST API for messages and the account, as far as a texting product uses it.

The routes are plain Starlette endpoints: a create costs a fraction of what
declared form parameters would, and benchmarks drive thousands of them.
"""

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from emulator.acceptance import Acceptance
from emulator.account import Account
from emulator.carrier import Carrier
from emulator.clock import Clock
from emulator.creation import RefusalError, read_draft
from emulator.faults import Faults
from emulator.hangup import Dropped, first_of
from emulator.listing import list_messages
from emulator.messages import API_VERSION, Message, MessageLog, new_sid
from emulator.numbers import Numbers
from emulator.phonebook import Phonebook
from emulator.settings import OptoutMode, Settings

Endpoint = Callable[[Request], Awaitable[Response]]


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _json(status: int, content: object) -> Response:
    return Response(json.dumps(content), status, media_type="application/json")


async def _form(request: Request) -> dict[str, list[str]]:
    return parse_qs((await request.body()).decode(), keep_blank_values=True)


class RestApi:
    """The endpoints and what they share: who may call, how many at once."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        log: MessageLog,
        phonebook: Phonebook,
        carrier: Carrier,
        faults: Faults,
        numbers: Numbers,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._log = log
        self._phonebook = phonebook
        self._carrier = carrier
        self._faults = faults
        self._numbers = numbers
        self._account = Account(settings)
        self._acceptance = Acceptance(settings, clock, log, carrier, faults)
        self._in_flight = 0
        self._owner = _basic(settings.account_sid, settings.auth_token)
        self._welcome = {self._owner}
        if settings.api_key_sid:
            self._welcome.add(_basic(settings.api_key_sid, settings.api_key_secret))

    def routes(self) -> list[BaseRoute]:
        """The addresses this API answers."""
        account = f"/{API_VERSION}/Accounts/{{account_sid}}"
        messages = f"{account}/Messages"
        one = f"{messages}/{{sid}}.json"
        return [
            Route(f"{account}.json", self._guarded(self.account), methods=["GET"]),
            Route(f"{account}/SMS/ShortCodes.json", self._guarded(self.short_codes)),
            Route(f"{account}/IncomingPhoneNumbers.json", self._guarded(self.phone_numbers)),
            Route("/v1/Services/{sid}", self._guarded(self.messaging_service), methods=["GET"]),
            Route("/v1/Services/{sid}/{kind}", self._guarded(self.service_senders)),
            Route("/v1/Deactivations", self._guarded(self.deactivations)),
            Route("/reports/{token}.txt", self.report),
            Route("/v2/PhoneNumbers/{number}", self._guarded(self.look_up)),
            Route(f"{messages}.json", self._guarded(self.create), methods=["POST"]),
            Route(f"{messages}.json", self._guarded(self.list), methods=["GET"]),
            Route(one, self._guarded(self.fetch), methods=["GET"]),
            Route(one, self._guarded(self.update), methods=["POST"]),
            Route(one, self._guarded(self.delete), methods=["DELETE"]),
        ]

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            started = time.perf_counter()
            self._in_flight += 1
            try:
                response = await self._answer(endpoint, request)
            except RefusalError as refusal:
                response = _json(refusal.status, refusal.body())
            finally:
                in_flight, self._in_flight = self._in_flight, self._in_flight - 1
            response.headers["Twilio-Request-Id"] = new_sid("RQ")
            response.headers["Twilio-Concurrent-Requests"] = str(in_flight)
            response.headers["Twilio-Request-Duration"] = f"{time.perf_counter() - started:.3f}"
            return response

        return answer

    async def _answer(self, endpoint: Endpoint, request: Request) -> Response:
        if self._faults.is_silent:
            await first_of(request, self._faults.silence())
            return Dropped()
        self._admit(request)
        return await endpoint(request)

    def _admit(self, request: Request) -> None:
        if request.headers.get("authorization") not in self._welcome:
            raise RefusalError(20003, 401)
        sid = self._settings.account_sid
        if request.path_params.get("account_sid", sid) != sid:
            raise RefusalError(20404, 404)
        if self._in_flight > self._settings.concurrency_limit:
            raise RefusalError(20429, 429)

    async def create(self, request: Request) -> Response:
        """Accepts a text: 201 and the resource."""
        draft = read_draft(await _form(request), self._settings, self._clock.now())
        if self._phonebook.phone(draft.to).blocked and not self._refuses_later:
            raise RefusalError(21610)
        if self._settings.latency_ms:
            await asyncio.sleep(self._settings.latency_ms / 1000)
        return await self._acceptance.create(draft, request)

    @property
    def _refuses_later(self) -> bool:
        """Advanced Opt-Out takes a text to a blocked number, and then fails it."""
        return self._settings.optout_mode is OptoutMode.ADVANCED

    def _find(self, request: Request) -> Message:
        message = self._log.find(request.path_params["sid"])
        if message is None:
            raise RefusalError(20404, 404)
        return message

    async def list(self, request: Request) -> Response:
        """One page of the account's messages, newest first."""
        try:
            page = list_messages(
                self._log,
                self._settings.account_sid,
                request.query_params,
                created_until=self._clock.now() - self._faults.list_lag_seconds,
            )
        except ValueError as failure:
            raise RefusalError(20404, 404) from failure
        return _json(200, page)

    async def fetch(self, request: Request) -> Response:
        """One message as it is now."""
        return _json(200, self._find(request).resource(self._settings.account_sid))

    async def update(self, request: Request) -> Response:
        """Blanks a body or withdraws a text that has not left."""
        message, fields = self._find(request), await _form(request)
        if fields.get("Status") == ["canceled"] and not self._carrier.cancel(message):
            raise RefusalError(30409, 409)
        if fields.get("Body") == [""]:
            message.body = ""
        return _json(200, message.resource(self._settings.account_sid))

    async def delete(self, request: Request) -> Response:
        """Takes a message out of the account."""
        self._find(request).deleted = True
        return Response(status_code=204)

    async def account(self, request: Request) -> Response:
        """The account; an API key may not look at it."""
        if request.headers["authorization"] != self._owner:
            raise RefusalError(20003, 401)
        return _json(200, self._account.resource())

    async def short_codes(self, request: Request) -> Response:
        """The account's short codes."""
        return _json(200, self._account.short_codes(request.query_params))

    async def phone_numbers(self, request: Request) -> Response:
        """The account's numbers."""
        return _json(200, self._account.phone_numbers(request.query_params))

    async def messaging_service(self, request: Request) -> Response:
        """A Messaging Service, which Twilio keeps at another host."""
        service = self._account.messaging_service(request.path_params["sid"])
        if service is None:
            raise RefusalError(20404, 404)
        return _json(200, service)

    async def service_senders(self, request: Request) -> Response:
        """The numbers or short codes of a Messaging Service."""
        senders = self._account.service_senders(**request.path_params)
        if senders is None:
            raise RefusalError(20404, 404)
        return _json(200, senders)

    async def deactivations(self, request: Request) -> Response:
        """Where a day's report of numbers given up lies; open to whoever has the address."""
        try:
            path = self._numbers.make_link(request.query_params)
        except ValueError as failure:
            raise RefusalError(20404, 400) from failure
        if path is None:
            raise RefusalError(20404, 404)
        address = str(request.base_url).rstrip("/") + path
        return _json(307, {"redirect_to": address})

    async def report(self, request: Request) -> Response:
        """A report, where Twilio would refer to a bucket elsewhere."""
        text = self._numbers.report(request.path_params["token"])
        return Response("expired", 403) if text is None else Response(text)

    async def look_up(self, request: Request) -> Response:
        """Lookup v2, which Twilio keeps at another host."""
        number = request.path_params["number"]
        return _json(200, self._numbers.look_up(number, request.query_params.get("Fields", "")))
