"""The demonstration's stage: a database, the emulator, ``serve`` and ``worker``, as processes."""

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from service.bootstrap import EMBEDDED_DATABASE
from service.clock import Clock
from service.errors import PollwireError
from service.settings import Settings, read_settings
from service.store import embedded

SENDER = "33550"
_ACCOUNT, _TOKEN = "AC" + "0" * 32, secrets.token_hex(16)
_READY_SECONDS = 30
_STOP_SECONDS = 15


@dataclass(frozen=True)
class Stage:
    """What the story acts with: the settings of every process, and the emulator's controls."""

    settings: Settings
    http: aiohttp.ClientSession
    emulator: str

    async def control(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        """Ask the emulator's control API."""
        async with self.http.request(
            method, f"{self.emulator}/emulator{path}", json=body or None
        ) as answer:
            answer.raise_for_status()
            found: dict[str, Any] = await answer.json()
            return found


@asynccontextmanager
async def open_stage(
    base: Settings, *, clock_start: datetime, seed: int, send_rate: int
) -> AsyncIterator[Stage]:
    """Start everything on this machine, empty, and stop it at the end."""
    folder = base.data_dir / "demo"
    async with AsyncExitStack() as stack:
        url = await _empty_database(folder, stack)
        web_port = _free_port(base.port)
        emulator_port = _free_port(0)
        environment = {
            "DATABASE_URL": url,
            "DATA_DIR": str(folder),
            "PUBLIC_BASE_URL": f"http://127.0.0.1:{web_port}",
            "HOST": "127.0.0.1",
            "PORT": str(web_port),
            "NUMBER_KEY": secrets.token_urlsafe(32),
            "SECRET_KEY": secrets.token_urlsafe(32),
            "TWILIO_ACCOUNT_SID": _ACCOUNT,
            "TWILIO_AUTH_TOKEN": _TOKEN,
            "TWILIO_API_KEY_SID": "",
            "TWILIO_API_KEY_SECRET": "",
            "TWILIO_API_BASE_URL": f"http://127.0.0.1:{emulator_port}",
            "POLLWIRE_CLOCK_START": clock_start.isoformat(),
            "SEND_RATE": str(send_rate),
            "LOG_LEVEL": "warning",
        }
        settings = _settings(environment)
        offset = (clock_start - Clock().now()).total_seconds()
        emulator = [
            *("-m", "emulator", "--port", str(emulator_port), "--seed", str(seed)),
            *("--account-sid", _ACCOUNT, "--sender", SENDER),
            *(
                "--inbound-url",
                f"{settings.public_base_url}/webhooks/twilio/inbound#rc=3&rp=5xx,ct",
            ),
            *("--answer-seconds", "0.5,8", "--clock-offset-seconds", str(offset)),
        ]
        product = ("-m", "service.cli")
        log = folder / "processes.log"
        await _run([*product, "migrate"], environment, log)
        hidden = {"EMULATOR_AUTH_TOKEN": _TOKEN}
        await stack.enter_async_context(_process(emulator, hidden, log))
        await stack.enter_async_context(_process([*product, "serve"], environment, log))
        await stack.enter_async_context(_process([*product, "worker"], environment, log))
        timeout = aiohttp.ClientTimeout(total=60)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        stage = Stage(settings, http, settings.twilio_api_base_url)
        await _until_answered(http, f"{stage.emulator}/emulator/health", log)
        await _until_answered(http, f"{settings.public_base_url}/healthz", log)
        yield stage


def _settings(environment: dict[str, str]) -> Settings:
    return read_settings(**{name.lower(): value for name, value in environment.items()})


async def _empty_database(folder: Path, stack: AsyncExitStack) -> str:
    """A database of the demonstration's own, emptied: it never touches the real one."""
    server = await asyncio.to_thread(embedded.start, folder / "postgres")
    stack.push_async_callback(asyncio.to_thread, server.stop)
    await asyncio.to_thread(embedded.drop_database, server, EMBEDDED_DATABASE)
    await asyncio.to_thread(embedded.ensure_database, server, EMBEDDED_DATABASE)
    return server.url(EMBEDDED_DATABASE).replace("postgresql+asyncpg://", "postgresql://")


def _free_port(wanted: int) -> int:
    """``wanted`` if nobody listens there, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise PollwireError("no port is free on 127.0.0.1")


async def _run(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    async with _process(arguments, environment, log) as process:
        if await process.wait() != 0:
            raise PollwireError(f"{' '.join(arguments)} failed; see {log}")


@asynccontextmanager
async def _process(
    arguments: list[str], environment: dict[str, str], log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of ours, told to stop at the end and ended if it does not."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _until_answered(http: aiohttp.ClientSession, url: str, log: Path) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _READY_SECONDS
    while loop.time() < deadline:
        try:
            async with http.get(url) as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)
    raise PollwireError(f"nothing answers at {url}; see {log}")
