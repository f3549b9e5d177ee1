"""A whole installation as processes: the emulator, web processes, a worker, a database."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from service.actions.results import read_results
from service.bootstrap import open_runtime
from service.runtime import Runtime
from service.settings import read_settings
from service.store import embedded
from tests.conftest import NOON

ACCOUNT, TOKEN = "AC" + "0" * 32, "12345"
PUBLIC = "http://127.0.0.1"
_READY_SECONDS = 30.0
_ANSWER_SECONDS = 60.0


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 90) -> None:
    """Wait for a condition; looks often, gives up loudly."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited in vain: {what}"
        await asyncio.sleep(0.1)


@dataclass
class House:
    """The installation under test; ``web_ports`` are where its web processes listen."""

    database_url: str
    folder: Path
    http: httpx.AsyncClient
    emulator_port: int = field(default_factory=free_port)
    web_ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    settings: dict[str, str] = field(default_factory=dict)
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    runtime: Runtime | None = None

    @property
    def public_url(self) -> str:
        """The address texts come to: the first web process."""
        return f"{PUBLIC}:{self.web_ports[0]}"

    @property
    def environment(self) -> dict[str, str]:
        """Settings of every product process."""
        return {
            "DATABASE_URL": self.database_url,
            "DATA_DIR": str(self.folder),
            "PUBLIC_BASE_URL": self.public_url,
            "NUMBER_KEY": "tests",
            "SECRET_KEY": "tests",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_BASE_URL": f"http://127.0.0.1:{self.emulator_port}",
            "POLLWIRE_CLOCK_START": NOON.isoformat(),
            "LOG_LEVEL": "warning",
            **self.settings,
        }

    async def start(self, name: str, *arguments: str, **environment: str) -> None:
        """Start a process of ours under a name."""
        log = (self.folder / f"{name}.log").open("ab")
        self.running[name] = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            env={**os.environ, **self.environment, **environment},
            stdout=log,
            stderr=log,
        )
        log.close()

    async def start_emulator(self, *options: str) -> None:
        """Start the emulator, its clock as ours."""
        offset = (NOON - datetime.now(UTC)).total_seconds()
        await self.start(
            "emulator",
            *("-m", "emulator", "--port", str(self.emulator_port), "--account-sid", ACCOUNT),
            *("--auth-token", TOKEN, "--clock-offset-seconds", str(offset)),
            *("--inbound-url", f"{self.public_url}/webhooks/twilio/inbound"),
            *options,
        )
        await self.answers(f"http://127.0.0.1:{self.emulator_port}/emulator/health")

    async def start_web(self, index: int = 0, **environment: str) -> None:
        """Start one web process and wait for it."""
        port = self.web_ports[index]
        arguments = ("-m", "service.cli", "serve", "--port", str(port))
        await self.start(f"web{index}", *arguments, **environment)
        await self.answers(f"http://127.0.0.1:{port}/healthz")

    async def start_worker(self, name: str = "worker", **environment: str) -> None:
        """Start a worker."""
        await self.start(name, "-m", "service.cli", "worker", **environment)

    async def answers(self, url: str) -> None:
        """Wait until an address answers."""

        async def does() -> bool:
            try:
                return (await self.http.get(url)).status_code == 200
            except httpx.TransportError:
                return False

        await until(does, url, _READY_SECONDS)

    async def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> int:
        """Signal a process that we started, and wait for its end; gives its exit code."""
        process = self.running.pop(name)
        if process.returncode is None:
            process.send_signal(how)
        return await asyncio.wait_for(process.wait(), 30)

    async def pollwire(self, *arguments: str) -> Any:
        """Run a command to its end; gives its JSON."""
        code, out, err = await self.run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    async def run(self, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        """Run a command; gives exit code, standard output and standard error."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service.cli", *arguments),
            env={**os.environ, **self.environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(stdin)
        return process.returncode or 0, out.decode(), err.decode()

    async def emulator(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the emulator's control API."""
        url = f"http://127.0.0.1:{self.emulator_port}/emulator{path}"
        answer = await self.http.request(method, url, json=body)
        answer.raise_for_status()
        return answer.json()

    async def texts(self, numbers: list[str], body: str) -> None:
        """Every number sends the same words; all are answered."""
        sent = [{"number": number, "body": body} for number in numbers]
        answer = await self.emulator("POST", "/phones/texts", sent)
        assert answer == {"answered": len(numbers), "failed": 0}

    async def quiet(self) -> bool:
        """Whether the crowd has nothing left to do and no receipt is on its way."""
        crowd = await self.emulator("GET", "/crowd")
        return not (crowd["pending"] or crowd["in_transit"] or crowd["receipts_waiting"])

    async def make_program(self, *more: str) -> None:
        """The demonstration's program, with more options."""
        await self.pollwire(
            *("program", "set", "--name", "Acme Stat", "--sender", "33550", "--keyword", "STAT"),
            *("--help-contact", "800-555-0100 or help@acme.example", *more),
        )

    async def open_poll(self, file: Path) -> str:
        """Create, schedule and open the poll of a file, now."""
        slug = str((await self.pollwire("poll", "create", str(file)))["slug"])
        await self.pollwire(
            *("poll", "schedule", slug, "--yes"),
            *("--opens-at", "2021-03-30T12:30", "--closes-at", "2021-04-01T17:00"),
        )
        await self.pollwire("poll", "open", slug)
        return slug

    async def results(self, slug: str) -> Any:
        """The tally, read in this process: a test that waits asks often."""
        assert self.runtime is not None
        return await read_results(self.runtime, slug)


@asynccontextmanager
async def open_house(
    server: embedded.EmbeddedServer, folder: Path, *, migrated: bool = True, **settings: str
) -> AsyncIterator[House]:
    """An installation on an empty database of its own; ends all it started.

    Without ``migrated`` the database has no tables, and the house no runtime.
    """
    name = f"house_{folder.name.replace('-', '_')}"
    await asyncio.to_thread(embedded.ensure_database, server, name)
    url = server.url(name).replace("+asyncpg", "")
    # No connection is kept: one that a frozen process closes meanwhile would fail the next request.
    fresh = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=_ANSWER_SECONDS, limits=fresh) as http:
        house = House(url, folder, http, settings=settings)
        try:
            if not migrated:
                yield house
                return
            await house.pollwire("migrate")
            given = {name.lower(): value for name, value in house.environment.items()}
            async with open_runtime(read_settings(**given)) as house.runtime:
                yield house
        finally:
            for process in list(house.running):
                await house.end(process, signal.SIGKILL)
            await asyncio.to_thread(embedded.drop_database, server, name)
