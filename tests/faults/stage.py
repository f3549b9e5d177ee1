"""The installation that the fault runner torments: two web processes, two workers, a database.

Every process that should be up is started anew when it is found dead, as a service manager
would do; a process that cannot reach its database at the start leaves, and is started again.
"""

import asyncio
import os
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from service.store import embedded
from tests.acceptance.house import PUBLIC, House, open_house, until
from tests.faults.plan import KILLS, Kind, Trouble, carrier_plan

WORKERS, WEBS = ("worker0", "worker1"), ("web0", "web1")
OVERRIDES = "#ct=2000&rt=4000&rc=5&rp=5xx,ct,rt"
"""What docs/operations.md advises for the URL of inbound texts, and for its fallback."""
_LOOK_SECONDS = 0.2


@dataclass
class Stage:
    """The processes, and what can be done to them."""

    house: House
    place: Path
    server: embedded.EmbeddedServer
    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    _wanted: set[str] = field(default_factory=set)
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)
    _carrier_troubles: list[Trouble] = field(default_factory=list)

    async def start(self, seed: int, *options: str) -> None:
        """Bring everything up, with an empty program."""
        house = self.house
        inbound, fallback = (f"{self._base(name)}/webhooks/twilio/inbound" for name in WEBS)
        await house.start_emulator(
            *("--inbound-url", inbound + OVERRIDES, "--fallback-url", fallback + OVERRIDES),
            *("--seed", str(seed), "--fault-seed", str(seed), "--undelivered-share", "0.01"),
            *options,
        )
        await house.make_program("--monthly-texts", "100000")
        self._wanted = {*WORKERS, *WEBS}

    def _base(self, name: str) -> str:
        """Each web process has an address of its own, which texts to it are signed for."""
        return f"{PUBLIC}:{self.house.web_ports[int(name[-1])]}"

    async def _start_process(self, name: str) -> None:
        address = {"PUBLIC_BASE_URL": self._base(name)}
        if name in WORKERS:
            await self.house.start_worker(name, **address)
            return
        port = str(self.house.web_ports[int(name[-1])])
        await self.house.start(name, "-m", "service.cli", "serve", "--port", port, **address)

    async def supervise(self) -> None:
        """Start whatever should be up and is not, for ever."""
        while True:
            for name in sorted(self._wanted):
                process = self.house.running.get(name)
                if process is None or process.returncode is not None:
                    await self._start_process(name)
            await asyncio.sleep(_LOOK_SECONDS)

    async def befall(self, trouble: Trouble) -> None:
        """Let one thing go wrong, from its time to its end."""
        await asyncio.sleep(trouble.at_seconds)
        acts: Mapping[Kind, Callable[[Trouble], Awaitable[None]]] = {
            Kind.KILL_WORKER: self._kill_process,
            Kind.KILL_WEB: self._kill_process,
            Kind.FREEZE_WORKER: self._freeze,
            Kind.FREEZE_CARRIER: self._freeze,
            Kind.KILL_DATABASE: self._stop_database,
            Kind.RESTART_DATABASE: self._stop_database,
            Kind.CUT_DATABASE: self._stop_database,
        }
        async with self._turns.setdefault(self._victim(trouble), asyncio.Lock()):
            await acts.get(trouble.kind, self._trouble_carrier)(trouble)
        self.faults[trouble.kind] += 1
        self.kills += trouble.kind in KILLS

    def _victim(self, trouble: Trouble) -> str:
        """What a trouble befalls; one thing at a time befalls it. The carrier's add up."""
        if trouble.kind in {Kind.KILL_WORKER, Kind.FREEZE_WORKER}:
            return WORKERS[trouble.index]
        if trouble.kind is Kind.KILL_WEB:
            return WEBS[trouble.index]
        if "database" in trouble.kind:
            return "database"
        return "emulator" if trouble.kind is Kind.FREEZE_CARRIER else trouble.kind

    async def _kill_process(self, trouble: Trouble) -> None:
        name = self._victim(trouble)
        self._wanted.discard(name)
        if name in self.house.running:
            await self.house.end(name, signal.SIGKILL)
        await asyncio.sleep(trouble.seconds)
        self._wanted.add(name)
        await until(self._is_up(name), f"{name} is up", 60)

    async def _freeze(self, trouble: Trouble) -> None:
        process = self.house.running.get(self._victim(trouble))
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(trouble.seconds)
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)

    async def _stop_database(self, trouble: Trouble) -> None:
        if trouble.kind is Kind.KILL_DATABASE:
            os.kill(self.server.postmaster_pid, signal.SIGKILL)
        else:
            mode = "fast" if trouble.kind is Kind.RESTART_DATABASE else "immediate"
            await asyncio.to_thread(self.server.stop, mode)
        await asyncio.sleep(trouble.seconds)
        self.server = await asyncio.to_thread(embedded.start, self.place)

    async def _trouble_carrier(self, trouble: Trouble) -> None:
        self._carrier_troubles.append(trouble)
        await self._tell_carrier()
        await asyncio.sleep(trouble.seconds)
        self._carrier_troubles.remove(trouble)
        await self._tell_carrier()

    async def _tell_carrier(self) -> None:
        await self.house.emulator("POST", "/faults", carrier_plan(self._carrier_troubles))

    def _is_up(self, name: str) -> Callable[[], Awaitable[bool]]:
        async def runs() -> bool:
            process = self.house.running.get(name)
            return process is not None and process.returncode is None

        async def answers() -> bool:
            try:
                found = await self.house.http.get(f"{self._base(name)}/readyz", timeout=5)
            except httpx.TransportError:
                return False
            return found.status_code == 200

        return answers if name in WEBS else runs

    async def everything_up(self) -> None:
        """Wait until all processes are, and the carrier has no trouble planned."""
        await self.house.emulator("POST", "/faults", {})
        for name in (*WEBS, *WORKERS):
            await until(self._is_up(name), f"{name} is up", 60)

    def keep_logs(self, folder: Path) -> None:
        """Copy what the processes and the server wrote."""
        folder.mkdir(parents=True, exist_ok=True)
        for log in (*self.house.folder.glob("*.log"), self.place / "server.log"):
            if log.exists():
                shutil.copy(log, folder / log.name)


@asynccontextmanager
async def open_stage(folder: Path, **settings: str) -> AsyncIterator[Stage]:
    """A stage on a durable PostgreSQL of its own; ends all it started."""
    place, work = folder / "postgres", folder / "house"
    work.mkdir(parents=True)
    server = await asyncio.to_thread(embedded.start, place)
    try:
        async with open_house(server, work, **settings) as house:
            stage = Stage(house, place, server)
            supervisor = asyncio.create_task(stage.supervise())
            try:
                yield stage
            finally:
                supervisor.cancel()
                with suppress(asyncio.CancelledError):
                    await supervisor
                # Whatever was stopped in the middle, the house is to be cleared up.
                server = await asyncio.to_thread(embedded.start, place)
    finally:
        await asyncio.to_thread(server.stop, "immediate")
