"""Trouble on demand: what goes wrong with the next requests and receipts, for tests.

Everything here happens at Twilio now and then and costs somebody a text or a
double: a lost answer after acceptance, a silent server, a list that lags behind,
receipts that get lost, come twice, out of order or too early.

A plan comes whole and replaces the one before; an empty plan ends all trouble.
Creates fail from a queue, one entry a create, and when that is empty by shares.
Shares are drawn from the seed, the recipient and how often it was tried, so that
the same seed strikes the same people, however requests interleave.
"""

import asyncio
from collections import Counter, deque
from contextlib import suppress
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from pydantic import BaseModel, Field, field_validator

from emulator.settings import Span

SILENCE_SECONDS: Final = 60.0


class CreateFault(StrEnum):
    """What may befall a create.

    Not accepted: ``busy`` answers 429, ``error`` 503, ``blocked`` 21610; ``silent`` never
    answers; ``dropped_before`` closes the connection.
    Accepted at once: ``error_after`` answers 503, ``silent_after`` does not answer for long,
    ``dropped`` closes the connection; ``early`` answers only when a receipt has been posted;
    ``blocked_later`` answers as ever, and the receipt says 21610.
    Accepted ``late_accept_seconds`` after the product has given up: ``late`` lets it wait in
    silence, ``dropped_late`` closes the connection.
    """

    OK = "ok"
    BUSY = "busy"
    ERROR = "error"
    BLOCKED = "blocked"
    SILENT = "silent"
    DROPPED_BEFORE = "dropped_before"
    ERROR_AFTER = "error_after"
    SILENT_AFTER = "silent_after"
    DROPPED = "dropped"
    EARLY = "early"
    BLOCKED_LATER = "blocked_later"
    LATE = "late"
    DROPPED_LATE = "dropped_late"


class FaultPlan(BaseModel):
    """What goes wrong from now on.

    Attributes:
        creates: befalls the next creates, one each, before any share.
        create_shares: share of creates that each fault befalls; a storm is ``{"busy": 1}``.
        late_accept_seconds: shortest and longest time from giving up to acceptance.
        list_lag_seconds: age at which a message first shows in the list.
        silence_seconds: longest silence; then the connection is closed.
        silent: connections are accepted and no REST request is answered.
        reordered_receipts_share: receipts that come ``reordered_seconds`` late, overtaken.
        for_seconds: the plan ends by itself after so long.
    """

    creates: list[CreateFault] = []
    create_shares: dict[CreateFault, float] = {}
    late_accept_seconds: tuple[float, float] = (1.0, 60.0)
    list_lag_seconds: float = Field(default=0, ge=0)
    silence_seconds: float = Field(default=SILENCE_SECONDS, ge=0)
    silent: bool = False
    lost_receipts_share: float = Field(default=0, ge=0, le=1)
    doubled_receipts_share: float = Field(default=0, ge=0, le=1)
    reordered_receipts_share: float = Field(default=0, ge=0, le=1)
    reordered_seconds: tuple[float, float] = (0.2, 2.0)
    for_seconds: float | None = Field(default=None, gt=0)

    @field_validator("create_shares")
    @classmethod
    def _are_shares(cls, shares: dict[CreateFault, float]) -> dict[CreateFault, float]:
        if min(shares.values(), default=0) < 0 or sum(shares.values()) > 1:
            raise ValueError("shares lie between 0 and 1 and make up 1 at most")
        return shares

    @field_validator("late_accept_seconds", "reordered_seconds")
    @classmethod
    def _is_span(cls, given: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= given[0] <= given[1]:
            raise ValueError("the shortest time comes first")
        return given


class Faults:
    """The plan in force, and what it says of one request or receipt."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._plan = FaultPlan()
        self._creates: deque[CreateFault] = deque()
        self._tries: Counter[str] = Counter()
        self._replaced = asyncio.Event()
        self._expiry: asyncio.TimerHandle | None = None
        self.befallen: Counter[str] = Counter()

    def apply(self, plan: FaultPlan) -> None:
        """Puts a plan in force; who waits in silence is let go."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = None
        if plan.for_seconds is not None:
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(plan.for_seconds, self.apply, FaultPlan())
        self._plan, self._creates = plan, deque(plan.creates)
        self._replaced.set()
        self._replaced = asyncio.Event()

    @property
    def is_silent(self) -> bool:
        """Whether no request is answered."""
        return self._plan.silent

    @property
    def list_lag_seconds(self) -> float:
        """Age at which a message first shows in the list."""
        return self._plan.list_lag_seconds

    def next_create(self, number: str) -> CreateFault:
        """What befalls the next create, which is to ``number``."""
        fault = self._creates.popleft() if self._creates else self._by_share(number)
        if fault is not CreateFault.OK:
            self.befallen[fault] += 1
        return fault

    def _by_share(self, number: str) -> CreateFault:
        if not self._plan.create_shares:
            return CreateFault.OK
        drawn = self._draw("create", number)
        for fault, share in self._plan.create_shares.items():
            drawn -= share
            if drawn < 0:
                return fault
        return CreateFault.OK

    def late_seconds(self, number: str) -> float:
        """How long after the product has given up a late create is accepted."""
        return self._span(self._plan.late_accept_seconds, "late", number)

    def receipt_copies(self, key: str) -> int:
        """How often the next receipt is posted: 1 unless shares say otherwise."""
        lost, doubled = self._plan.lost_receipts_share, self._plan.doubled_receipts_share
        if not lost + doubled:
            return 1
        drawn = self._draw("copies", key)
        copies = 0 if drawn < lost else 2 if drawn >= 1 - doubled else 1
        if copies != 1:
            self.befallen["doubled_receipt" if copies else "lost_receipt"] += 1
        return copies

    def receipt_delay_seconds(self, key: str) -> float:
        """How long the next receipt is held back while others overtake it; 0 is not at all."""
        share = self._plan.reordered_receipts_share
        if not share or self._draw("order", key) >= share:
            return 0.0
        self.befallen["reordered_receipt"] += 1
        return self._span(self._plan.reordered_seconds, "delay", key)

    async def silence(self) -> None:
        """Returns when the silence is over: after its longest time, or with the next plan."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._replaced.wait(), self._plan.silence_seconds)

    def _span(self, span: tuple[float, float], kind: str, key: str) -> float:
        bounds = Span(*span)
        return bounds.least + (bounds.most - bounds.least) * self._draw(kind, key)

    def _draw(self, kind: str, key: str) -> float:
        """From 0 up to 1: the same for the same seed, kind, key and how often it was drawn."""
        name = f"{kind}:{key}"
        self._tries[name] += 1
        text = f"{self._seed}:{name}:{self._tries[name]}"
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") / 2**64
