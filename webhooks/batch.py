"""Group ingest: many requests, one transaction.

A request appends its item and waits; one of a few lanes takes its share of whatever has queued up,
handles it in one go and answers all. No batch waits to be filled, so a lone caller waits for
nobody. Items of one key (a number) never run in two lanes at once, so they keep their order.

A transaction costs much the same for one item as for ten, so a second lane begins only where many
wait, or where a batch takes long: nobody's item waits for a stranger's lock. Lanes that are free
at once share what waits, for else they fall into step: one takes everything, its callers all come
back at once for the next to take, and either the database or this process has nothing to do. For
the same reason a lane takes its next share while the one before is committed, which is mostly the
disk's work.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar

from service.clock import Clock

_WORTH_SHARING = 16
"""Fewer items than this are done sooner in one transaction than in two."""
_PATIENCE_SECONDS = 0.05
"""For so long a few items wait for a batch that runs: several times what one takes."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Committing = Callable[[], None]
"""Says that of a transaction nothing but its commit is left."""


class QueueFullError(Exception):
    """More waits than can be handled in time; the caller should answer 503."""


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    key: Hashable
    answer: "asyncio.Future[Result]"


class Batcher(Generic[Item, Result]):
    """Gathers items for ``handle``.

    Args:
        handle: does a list of items in one transaction; results in their order. It calls its
            second argument when it begins to commit. When it fails for several, each is tried
            alone, so one bad item harms nobody else.
        hopeless: tells of a failure that every item would meet now, such as a database that is
            away: then all that were handled together fail at once, while the callers still wait.
        key: items with equal keys are handled in the order they came.
        observe: told the size of each batch and the seconds it took.
    """

    def __init__(
        self,
        handle: Callable[[Sequence[Item], Committing], Awaitable[Sequence[Result]]],
        *,
        key: Callable[[Item], Hashable],
        lanes: int = 2,
        largest_batch: int = 256,
        largest_queue: int = 4096,
        observe: Callable[[int, float], None] = lambda size, seconds: None,
        hopeless: Callable[[Exception], bool] = lambda error: False,
    ) -> None:
        self._handle = handle
        self._key = key
        self._largest_batch = largest_batch
        self._largest_queue = largest_queue
        self._observe = observe
        self._hopeless = hopeless
        self._queue: deque[_Waiting[Item, Result]] = deque()
        self._in_flight: set[Hashable] = set()
        self._all_lanes = self._idle_lanes = self._free_lanes = lanes
        self._committing = 0
        self._impatience: asyncio.TimerHandle | None = None
        self._lanes: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._queue)

    async def submit(self, item: Item) -> Result:
        """The result for ``item``, once it is stored.

        Raises:
            QueueFullError: nothing was done with it.
        """
        if len(self._queue) >= self._largest_queue:
            raise QueueFullError
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(item, self._key(item), answer))
        self._start_lane()
        return await answer

    async def drain(self) -> None:
        """Wait until everything submitted has been answered."""
        while self._lanes:
            await asyncio.wait(self._lanes)

    def _start_lane(self) -> None:
        """Let an idle lane take what waits, where that is worth a transaction of its own."""
        if self._idle_lanes == self._all_lanes or len(self._queue) >= _WORTH_SHARING:
            self._start_idle_lane()
        elif self._queue and self._impatience is None:
            later = asyncio.get_running_loop().call_later
            self._impatience = later(_PATIENCE_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._impatience = None
        self._start_idle_lane()

    def _start_idle_lane(self) -> None:
        """Let an idle lane take what no other is busy with, if there is any."""
        if self._idle_lanes and any(one.key not in self._in_flight for one in self._queue):
            self._idle_lanes -= 1
            lane = asyncio.create_task(self._run_lane())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)

    async def _run_lane(self) -> None:
        # Let requests that have arrived already join the batch.
        await asyncio.sleep(0)
        batch = self._take()
        if not batch:
            self._idle_lanes += 1
            return
        keys = {waiting.key for waiting in batch}
        self._in_flight |= keys
        self._free_lanes -= 1
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None
        self._start_lane()  # for what was left to the others
        is_committing = False

        def committing() -> None:
            nonlocal is_committing
            if not is_committing and self._committing < self._all_lanes:
                is_committing = True
                self._committing += 1
                self._leave_lane()

        try:
            await self._run(batch, committing)
        finally:
            self._in_flight -= keys
            if is_committing:
                self._committing -= 1
                self._start_lane()
            else:
                self._leave_lane()

    def _leave_lane(self) -> None:
        self._free_lanes += 1
        self._idle_lanes += 1
        self._start_lane()

    def _take(self) -> list[_Waiting[Item, Result]]:
        """The next batch: a free lane's share of what waits, no key that another is busy with."""
        batch: list[_Waiting[Item, Result]] = []
        held: list[_Waiting[Item, Result]] = []
        share = max(_WORTH_SHARING, ceil(len(self._queue) / self._free_lanes))
        share = min(share, self._largest_batch)
        while self._queue and len(batch) < share:
            waiting = self._queue.popleft()
            if waiting.answer.cancelled():
                continue
            (held if waiting.key in self._in_flight else batch).append(waiting)
        self._queue.extendleft(reversed(held))
        return batch

    async def _run(self, batch: Sequence[_Waiting[Item, Result]], committing: Committing) -> None:
        error = await self._try(batch, committing)
        if error is None:
            return
        if len(batch) == 1 or self._hopeless(error):
            _answer_error(batch, error)
            return
        for done, waiting in enumerate(batch):
            error = await self._try([waiting], committing)
            if error is not None and self._hopeless(error):
                _answer_error(batch[done:], error)
                return
            if error is not None:
                _answer_error([waiting], error)

    async def _try(
        self, batch: Sequence[_Waiting[Item, Result]], committing: Committing
    ) -> Exception | None:
        """Handle and answer a batch; gives the error where that failed, and nobody is answered."""
        began = Clock.monotonic_seconds()
        try:
            try:
                results = await self._handle([waiting.item for waiting in batch], committing)
            finally:
                self._observe(len(batch), Clock.monotonic_seconds() - began)
        except Exception as error:  # noqa: BLE001  (told to whoever waits)
            return error
        for waiting, result in zip(batch, results, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(result)
        return None


def _answer_error(batch: Sequence[_Waiting[Item, Result]], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
