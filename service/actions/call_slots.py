"""The calls to the carrier that one process may have in flight."""

import asyncio
from itertools import count

from service.clock import Clock
from service.domain.call_pace import Breaker, Concurrency
from service.errors import NotTakenError, SendError, UnknownOutcomeError

_TOO_MANY = 20429


class CallSlots:
    """Bounds the calls to the carrier in flight in this process, by how the last ones ended.

    A turn takes all its slots before it marks its texts *handed*, so between that mark and the
    call there is nothing to wait for, and a text is never in doubt while it still stands in line.

    Args:
        most: never more calls at once.

    Attributes:
        turn: held while a turn is prepared.
        turns: counts those prepared.
    """

    def __init__(self, most: int, clock: Clock | None = None) -> None:
        self._concurrency = Concurrency(most)
        self._breaker = Breaker()
        self._clock = clock or Clock()
        self._in_flight = 0
        self._news = asyncio.Event()
        self.turn = asyncio.Lock()
        self.turns = count()
        self._closed = False

    def close(self) -> None:
        """Nothing is begun any more; whoever waits for slots gets none."""
        self._closed = True
        self._news.set()

    @property
    def allowed(self) -> int:
        """Calls that a turn may make at once now; 0 while the carrier is silent."""
        if self._closed or not self._breaker.may_call(self._clock.now()):
            return 0
        return 1 if self._breaker.is_open else self._concurrency.allowed

    async def take(self, most: int) -> int:
        """Take up to ``most`` slots, once at least half as many are free; gives how many.

        Hold :attr:`turn` meanwhile. 0 while the carrier is silent, and once closed.
        """
        while wanted := min(most, self.allowed):
            free = self._concurrency.allowed - self._in_flight
            if 2 * free >= wanted:
                granted = min(wanted, free)
                self._in_flight += granted
                self._breaker.probe()
                return granted
            self._news.clear()
            await self._news.wait()
        return 0

    def give_back(self, slots: int = 1) -> None:
        """Calls have ended, or will not be made."""
        self._in_flight -= slots
        if not self._in_flight:
            self._breaker.withdrawn()
        self._news.set()

    def mark(self) -> int:
        """What the calls of one turn remember of the moment they began."""
        return self._concurrency.halvings

    def note(self, error: SendError | None, mark: int) -> None:
        """How a call that began at ``mark`` ended; call it before its slot is given back."""
        if isinstance(error, UnknownOutcomeError):
            self._breaker.was_silent(self._clock.now())
        elif isinstance(error, NotTakenError) and not error.code:
            return  # no connection: nothing was asked, nothing is in doubt
        else:
            self._answered(error, mark)

    def _answered(self, error: SendError | None, mark: int) -> None:
        if self._breaker.is_open:
            self._concurrency.start_anew()
        self._breaker.answered()
        if error is not None and error.code == _TOO_MANY:
            self._concurrency.slowed(mark)
        else:
            self._concurrency.succeeded()
