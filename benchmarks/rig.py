"""What benchmarks run on: a durable PostgreSQL of their own, and our processes."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from service.bootstrap import open_runtime
from service.runtime import Runtime
from service.settings import read_settings
from service.store import embedded

ACCOUNT, TOKEN = "AC" + "0" * 32, "12345"
PUBLIC = "https://polls.example.org"
"""What webhooks are signed for; they are posted to 127.0.0.1."""
_READY_SECONDS = 30
_TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Rig:
    """The server of one run. ``quick`` means small sizes and short times."""

    server: embedded.EmbeddedServer
    folder: Path
    quick: bool

    @property
    def rounds(self) -> int:
        """How often each figure is taken; the median counts."""
        return 2 if self.quick else 3

    def pick(self, quick: float, full: float) -> float:
        """A size or time for this run."""
        return quick if self.quick else full

    def database_seconds(self) -> float:
        """CPU time of the whole server so far."""
        parent = self.server.postmaster_pid
        living = (pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))))
        children = sum(cpu_seconds(pid) for pid in living if _parent(pid) == parent)
        return children + cpu_seconds(parent, with_children=True)

    def environment(self, database: str, **more: str) -> dict[str, str]:
        """Settings of product processes on a database."""
        return {
            "DATABASE_URL": self.server.url(database).replace("+asyncpg", ""),
            "DATA_DIR": str(self.folder),
            "PUBLIC_BASE_URL": PUBLIC,
            "NUMBER_KEY": "benchmarks",
            "SECRET_KEY": "benchmarks",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_BASE_URL": "http://127.0.0.1:9",
            "LOG_LEVEL": "error",
            **more,
        }

    @asynccontextmanager
    async def database(self, name: str) -> AsyncIterator[Runtime]:
        """An empty, migrated database and a runtime on it; dropped at the end."""
        await asyncio.to_thread(embedded.drop_database, self.server, name)
        await asyncio.to_thread(embedded.ensure_database, self.server, name)
        environment = self.environment(name)
        async with self.process(environment, "-m", "service.cli", "migrate") as migrating:
            assert await migrating.wait() == 0, "the schema could not be made"
        settings = read_settings(**{key.lower(): value for key, value in environment.items()})
        async with open_runtime(settings) as runtime:
            yield runtime
        await asyncio.to_thread(embedded.drop_database, self.server, name)

    @asynccontextmanager
    async def process(
        self, environment: dict[str, str], *arguments: str
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """A process of ours, told to stop at the end."""
        with (self.folder / "processes.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *arguments),
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()

    @asynccontextmanager
    async def web(
        self, database: str, *, workers: int = 1, is_public: bool = False
    ) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
        """A web server; gives its port, once it is ready.

        Args:
            is_public: webhooks are signed for its own address.
        """
        port = free_port()
        environment = self.environment(database, PORT=str(port), WEB_CONCURRENCY=str(workers))
        if is_public:
            environment["PUBLIC_BASE_URL"] = f"http://127.0.0.1:{port}"
        async with self.process(environment, "-m", "service.cli", "serve") as process:
            await until_answers(f"http://127.0.0.1:{port}/readyz")
            yield port, process

    @asynccontextmanager
    async def emulator(self, *options: str) -> AsyncIterator[int]:
        """The emulator of Twilio; gives its port, once it is ready."""
        port = free_port()
        told = ("--port", str(port), "--account-sid", ACCOUNT, "--auth-token", TOKEN)
        async with self.process({}, "-m", "emulator", *told, *options):
            await until_answers(f"http://127.0.0.1:{port}/emulator/health")
            yield port


@contextmanager
def open_rig(folder: Path, *, quick: bool) -> Iterator[Rig]:
    """A fresh server with ``fsync`` on, removed at the end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    server = embedded.start(folder / "postgres", options={"max_wal_size": "4GB"})
    try:
        yield Rig(server, folder, quick)
    finally:
        server.stop()
        shutil.rmtree(folder / "postgres", ignore_errors=True)


async def until_answers(url: str) -> None:
    """Wait until an address answers 200."""
    deadline = time.monotonic() + _READY_SECONDS
    async with aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            assert time.monotonic() < deadline, f"nothing answers at {url}"
            await asyncio.sleep(0.05)


def cpu_seconds(pid: int, *, with_children: bool = False) -> float:
    """CPU time of a process so far; with that of its ended children where wanted."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11 : 15 if with_children else 13])) / _TICKS


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def peak_memory_mb(pid: int) -> float:
    """The most memory a process has held."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0
