"""A load generator: keep-alive connections on raw sockets, in a process of its own.

Run as ``python -m benchmarks.client`` with a :class:`Load` as JSON and then the requests, each
under its length, on standard input; prints what became of them. Closed: each connection sends its
next request when the answer has come. Open: requests leave at a fixed rate whatever the answers
do, and their time counts from when they were due.
"""

import asyncio
import json
import struct
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median


@dataclass(frozen=True)
class Load:
    """What to do; ``rate`` 0 is closed."""

    port: int
    seconds: float
    connections: int = 32
    rate: float = 0


@dataclass(frozen=True)
class Outcome:
    """What became of it; milliseconds."""

    answered: int
    seconds: float
    refused: int
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests answered well, a second."""
        return (self.answered - self.refused) / self.seconds


async def run(load: Load, requests: Sequence[bytes]) -> Outcome:
    """Have a process of its own put the load on a local server."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.client"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    told = [json.dumps(asdict(load)).encode(), *requests]
    packed = b"".join(struct.pack("!I", len(part)) + part for part in told)
    out, _ = await process.communicate(packed)
    assert process.returncode == 0, "the load generator failed"
    return Outcome(**json.loads(out))


@dataclass
class _Run:
    """Shared by the connections: what is to be sent, and how it went."""

    requests: deque[bytes]
    ends_at: float = 0.0
    open_loop: bool = False
    times: list[float] = field(default_factory=list)
    refused: int = 0
    idle: "deque[_Connection]" = field(default_factory=deque)
    waiting: deque[float] = field(default_factory=deque)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0

    def next_for(self, connection: "_Connection") -> None:
        """Give a connection its next request, if one is due."""
        if self.open_loop and not self.waiting:
            self.idle.append(connection)
            return
        now = time.perf_counter()
        if not self.requests or (not self.open_loop and now >= self.ends_at):
            self.done.set()
            return
        connection.send(self.requests.popleft(), self.waiting.popleft() if self.open_loop else now)

    def due(self, moment: float) -> None:
        """A request of the open loop has come due."""
        self.waiting.append(moment)
        if self.idle:
            self.next_for(self.idle.popleft())


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._began = 0.0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def send(self, request: bytes, since: float) -> None:
        assert self._transport is not None
        self._began = since
        self._run.busy += 1
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._run.busy -= 1
        self._run.times.append(time.perf_counter() - self._began)
        self._run.refused += not head.startswith(b"HTTP/1.1 2")
        self._buffer = b""
        self._run.next_for(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._run.done.set()


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length: ")
    return int(rest.partition(b"\r\n")[0]) if found else 0


async def _generate(load: Load, requests: deque[bytes]) -> Outcome:
    loop = asyncio.get_running_loop()
    shared = _Run(requests, open_loop=load.rate > 0)
    connections = [
        (await loop.create_connection(lambda: _Connection(shared), "127.0.0.1", load.port))[1]
        for _ in range(load.connections)
    ]
    began = time.perf_counter()
    shared.ends_at = began + load.seconds
    for connection in connections:
        shared.next_for(connection)
    if load.rate:
        await _keep_pace(shared, load, began)
    else:
        await asyncio.wait_for(shared.done.wait(), load.seconds + 30)
    seconds = time.perf_counter() - began
    answered, times = len(shared.times), sorted(shared.times)
    deadline = time.perf_counter() + 10
    while shared.busy and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)
    p99 = times[int(answered * 0.99)]
    return Outcome(answered, seconds, shared.refused, median(times) * 1000, p99 * 1000)


async def _keep_pace(shared: _Run, load: Load, began: float) -> None:
    for index in range(int(load.seconds * load.rate)):
        due = began + index / load.rate
        await asyncio.sleep(max(0, due - time.perf_counter()))
        shared.due(due)
    while shared.busy and time.perf_counter() < shared.ends_at + 10:
        await asyncio.sleep(0.005)


def _parts(packed: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(packed):
        (size,) = struct.unpack_from("!I", packed, at)
        yield packed[at + 4 : at + 4 + size]
        at += 4 + size


def main() -> None:
    """Read the load, generate it, print the outcome."""
    import uvloop

    first, *requests = _parts(sys.stdin.buffer.read())
    outcome = uvloop.run(_generate(Load(**json.loads(first)), deque(requests)))
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
