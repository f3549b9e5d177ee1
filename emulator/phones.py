"""The control API: type on phones, look at them, read the log, set off a crowd.

It asks for no password and therefore serves only this machine, unless the
emulator was told otherwise.
"""

import asyncio
import json
from collections import defaultdict
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from emulator.carrier import Carrier
from emulator.crowd import Crowd
from emulator.faults import FaultPlan, Faults
from emulator.inbound import InboundGateway, TypedText
from emulator.messages import MessageLog
from emulator.numbers import Numbers
from emulator.phonebook import Phonebook, normalise
from emulator.receipts import ReceiptSender

LOOPBACK = frozenset({"127.0.0.1", "::1"})
BULK_WORKERS = 64


class NewText(BaseModel):
    """One text to type; ``sid`` of an earlier one repeats its webhook."""

    body: str
    sid: str = ""
    media: int = Field(0, ge=0, le=10)
    opt_out_type: str = ""
    extra: dict[str, str] = {}


class BulkText(BaseModel):
    """One text of many."""

    number: str
    body: str


class PhoneChange(BaseModel):
    """What to change about a phone; what is left out stays."""

    blocked: bool | None = None
    undelivered: int | None = None


class NewCrowd(BaseModel):
    """A crowd to set off."""

    members: int = Field(2000, ge=1, le=200_000)
    seed: int = 7
    keyword: str = "STAT"
    joins_per_second: float = Field(400, gt=0)


class GivenUp(BaseModel):
    """Numbers that the carriers report as given up, on a day or else yesterday."""

    numbers: list[str]
    day: date | None = None


class PhonesApi:
    """The endpoints under ``/emulator``."""

    def __init__(
        self,
        *,
        log: MessageLog,
        phonebook: Phonebook,
        carrier: Carrier,
        receipts: ReceiptSender,
        inbound: InboundGateway,
        crowd: Crowd,
        faults: Faults,
        numbers: Numbers,
        is_open: bool,
    ) -> None:
        self._log = log
        self._phonebook = phonebook
        self._carrier = carrier
        self._receipts = receipts
        self._inbound = inbound
        self._crowd = crowd
        self._faults = faults
        self._numbers = numbers
        self._is_open = is_open

    def router(self) -> APIRouter:
        """The addresses this API answers."""
        router = APIRouter(prefix="/emulator", dependencies=[Depends(self._near)])
        router.get("/health")(self.health)
        router.get("/log")(self.log)
        router.post("/phones/texts")(self.type_many)
        router.post("/phones/{number}/texts")(self.type_one)
        router.get("/phones/{number}")(self.look)
        router.post("/phones/{number}")(self.change)
        router.post("/crowd")(self.gather)
        router.get("/crowd")(self.count)
        router.get("/crowd/numbers")(self.numbers)
        router.post("/crowd/late")(self.answer_late)
        router.post("/faults")(self.plan_faults)
        router.post("/deactivations")(self.give_up)
        router.get("/faults")(self.count_faults)
        return router

    def _near(self, request: Request) -> None:
        if not self._is_open and (request.client is None or request.client.host not in LOOPBACK):
            raise HTTPException(403, "the control API serves this machine only")

    async def health(self) -> dict[str, bool]:
        """Says that the emulator is up."""
        return {"ok": True}

    async def log(
        self,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=100_000)] = 10_000,
    ) -> Response:
        """Messages in the order of acceptance, both directions, each as it is now.

        ``next`` is where the following page begins. Written without the framework's
        encoder, which takes longer over 100,000 rows than everything else here.
        """
        rows = self._log.rows_after(after, limit)
        page = json.dumps({"next": after + len(rows), "rows": rows})
        return Response(page, media_type="application/json")

    async def type_one(self, number: str, text: NewText) -> dict[str, object]:
        """Types a text and waits for what the product answers."""
        number = normalise(number)
        self._phonebook.phone(number).driven = True
        outcome = await self._inbound.send(number, TypedText(**text.model_dump()))
        return {
            "sid": outcome.sid,
            "status": outcome.status,
            "error_code": outcome.error_code,
            "replies": outcome.replies,
        }

    async def type_many(self, texts: list[BulkText]) -> dict[str, int]:
        """Types many texts: phones at once, each phone's texts in order."""
        by_number: defaultdict[str, list[str]] = defaultdict(list)
        for text in texts:
            by_number[normalise(text.number)].append(text.body)
        waiting, failed = iter(by_number.items()), 0

        async def type_some() -> None:
            nonlocal failed
            for number, bodies in waiting:
                self._phonebook.phone(number).driven = True
                for body in bodies:
                    outcome = await self._inbound.send(number, TypedText(body))
                    failed += outcome.error_code is not None

        await asyncio.gather(*(type_some() for _ in range(BULK_WORKERS)))
        return {"answered": len(texts) - failed, "failed": failed}

    async def look(self, number: str) -> dict[str, object]:
        """What lies on a phone."""
        phone = self._phonebook.phone(normalise(number))
        return {"texts": [text.view() for text in phone.texts], "blocked": phone.blocked}

    async def change(self, number: str, change: PhoneChange) -> dict[str, object]:
        """Blocks a number or makes it unreachable with a carrier's code."""
        phone = self._phonebook.phone(normalise(number))
        if change.blocked is not None:
            phone.blocked = change.blocked
        if "undelivered" in change.model_fields_set:
            phone.undelivered_code = change.undelivered
            phone.driven = True
        return {"blocked": phone.blocked, "undelivered": phone.undelivered_code}

    async def gather(self, crowd: NewCrowd) -> dict[str, int]:
        """Sets off a crowd; it joins while the caller goes on."""
        if self._crowd.is_busy:
            raise HTTPException(409, "the crowd before is still busy")
        self._crowd.gather(crowd.members, crowd.seed, crowd.keyword, crowd.joins_per_second)
        return {"members": crowd.members}

    async def count(self) -> dict[str, int]:
        """How far the crowd is; ``pending`` and ``in_transit`` 0 mean done."""
        return self._crowd.counts() | {
            "in_transit": self._carrier.in_transit,
            "receipts_waiting": self._receipts.waiting,
            "webhook_failures": self._inbound.failures + self._receipts.failures,
        }

    async def numbers(self) -> dict[str, object]:
        """The numbers of the crowd."""
        return {"numbers": self._crowd.numbers()}

    async def answer_late(self) -> dict[str, int]:
        """Lets late members answer now."""
        return {"members": self._crowd.answer_late()}

    async def plan_faults(self, plan: FaultPlan) -> dict[str, bool]:
        """Replaces what is to go wrong; an empty plan ends all trouble."""
        self._faults.apply(plan)
        return {"ok": True}

    async def give_up(self, given_up: GivenUp) -> dict[str, str]:
        """Adds numbers to the report of a day."""
        day = given_up.day or self._numbers.today - timedelta(days=1)
        self._numbers.give_up((normalise(number) for number in given_up.numbers), day)
        return {"day": day.isoformat()}

    async def count_faults(self) -> dict[str, int]:
        """How often each fault has befallen something since the start."""
        return dict(self._faults.befallen)
