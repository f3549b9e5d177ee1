"""The Compose file as plain processes: each service's very command and environment."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from service.store import embedded
from tests.acceptance.house import free_port, until
from tests.container_files import ROOT, read_services, read_stages

DOTENV = {
    "POSTGRES_PASSWORD": "p0stgres",
    "NUMBER_KEY": "a number key for rehearsals",
    "SECRET_KEY": "a secret key for rehearsals",
    "TWILIO_ACCOUNT_SID": "AC" + "7" * 32,
    "TWILIO_AUTH_TOKEN": "a token for rehearsals",
    "TWILIO_API_BASE_URL": "http://emulator:9000",
}
IMAGE = read_stages()[-1]
PROGRAMS = {"pollwire": (sys.executable, "-m", "service.cli"), "python": (sys.executable,)}


@dataclass
class Composition:
    """The services on this machine: other ports, other folders, no containers."""

    database_url: str
    folder: Path
    web_port: int = field(default_factory=free_port)
    emulator_port: int = field(default_factory=free_port)
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    def __post_init__(self) -> None:
        public = {"PUBLIC_BASE_URL": f"http://127.0.0.1:{self.web_port}"}
        self.dotenv = {**DOTENV, **public}
        self.services = read_services(self.dotenv)

    def environment(self, name: str) -> dict[str, str]:
        """What the service's container would have, and nothing of this machine's."""
        service = self.services[name]
        given = dict(IMAGE.environment)
        if service.get("env_file") == ".env":
            given |= self.dotenv
        given |= service.get("environment", {})
        if "DATABASE_URL" in given:
            self._check_database_url(given["DATABASE_URL"])
            given["DATABASE_URL"] = self.database_url
        here = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(self.folder)}
        return {key: self._moved(value) for key, value in given.items()} | here

    def _check_database_url(self, url: str) -> None:
        parts, postgres = urlsplit(url), self.services["postgres"]["environment"]
        assert (parts.hostname, parts.port) == ("postgres", 5432)
        assert parts.username == postgres["POSTGRES_USER"]
        assert parts.password == postgres["POSTGRES_PASSWORD"]
        assert parts.path == f"/{postgres['POSTGRES_DB']}"

    def _moved(self, word: str) -> str:
        if word in ("8000", "9000"):
            return str(self.web_port if word == "8000" else self.emulator_port)
        for there, here in (
            ("//web:8000", f"//127.0.0.1:{self.web_port}"),
            ("//emulator:9000", f"//127.0.0.1:{self.emulator_port}"),
            ("//127.0.0.1:9000", f"//127.0.0.1:{self.emulator_port}"),
            ("/var/lib/pollwire", str(self.folder)),
        ):
            word = word.replace(there, here)
        return word

    def command(self, name: str) -> list[str]:
        """What the service runs."""
        service = self.services[name]
        entry = service.get("entrypoint", IMAGE.words("ENTRYPOINT"))
        return [*entry, *service.get("command", IMAGE.words("CMD"))]

    async def start(
        self, name: str, words: list[str], stdout: int | None = None
    ) -> asyncio.subprocess.Process:
        """Run words in the service's place; what they say goes into its log, or to a pipe."""
        program, *arguments = words
        with (self.folder / f"{name}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *PROGRAMS[program],
                *(self._moved(word) for word in arguments),
                env=self.environment(name),
                cwd=self.folder,
                stdout=stdout or log,
                stderr=log,
            )

    async def up(self, name: str) -> None:
        """Start the service."""
        self.running[name] = await self.start(name, self.command(name))

    async def run(self, name: str, *words: str) -> tuple[int, str]:
        """Run words in the service's place to their end; gives exit code and output."""
        process = await self.start(name, list(words), asyncio.subprocess.PIPE)
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, out.decode()

    async def is_healthy(self, name: str) -> bool:
        """What the service's own health check says."""
        check = self.services[name].get("healthcheck", {}).get("test")
        words = check[1:] if check else IMAGE.health_check
        process = await self.start(name, words)
        return await asyncio.wait_for(process.wait(), 30) == 0

    async def down(self, name: str) -> int:
        """Stop the service as Compose does; gives its exit code."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(process.wait(), 20)


@asynccontextmanager
async def composition(server: embedded.EmbeddedServer, folder: Path) -> AsyncIterator[Composition]:
    await asyncio.to_thread(embedded.ensure_database, server, "composition")
    url = server.url("composition").replace("+asyncpg", "")
    composed = Composition(url, folder)
    try:
        yield composed
    finally:
        for process in composed.running.values():
            process.kill()
            await process.wait()
        await asyncio.to_thread(embedded.drop_database, server, "composition")


async def answered(http: httpx.AsyncClient, url: str) -> Any:
    """The JSON of an address, once it answers well."""
    found: list[Any] = []

    async def does() -> bool:
        try:
            answer = await http.get(url)
        except httpx.TransportError:
            return False
        found.append(answer.json())
        return answer.status_code == 200

    await until(does, url, 30)
    return found[-1]


async def test_every_service_runs_and_a_text_joins(
    server: embedded.EmbeddedServer, tmp_path: Path
) -> None:
    async with composition(server, tmp_path) as composed, httpx.AsyncClient(timeout=30) as http:
        assert not await composed.is_healthy("web")
        code, said = await composed.run("migrate", *composed.command("migrate"))
        assert (code, "revision" in said) == (0, True)
        for name in ("emulator", "web", "worker"):
            await composed.up(name)
        ready = await answered(http, f"http://127.0.0.1:{composed.web_port}/readyz")
        assert ready["status"] == "ready"
        emulator = f"http://127.0.0.1:{composed.emulator_port}/emulator"
        await answered(http, f"{emulator}/health")
        assert await composed.is_healthy("web")
        assert await composed.is_healthy("emulator")

        code, _ = await composed.run(
            *("web", "pollwire", "program", "set", "--name", "Acme Stat", "--sender", "33550"),
            *("--keyword", "STAT", "--help-contact", "800-555-0100"),
        )
        assert code == 0
        text = await http.post(f"{emulator}/phones/13032000001/texts", json={"body": "STAT"})
        assert "Acme Stat" in text.json()["replies"][0]

        async def is_mended() -> bool:
            return (await composed.run("web", "pollwire", "doctor"))[0] == 0

        await until(is_mended, "doctor to have nothing to mend")
        _, said = await composed.run("web", "pollwire", "doctor", "--json")
        assert {check["verdict"] for check in json.loads(said)["checks"]} == {"ok"}
        assert await composed.down("worker") == 0
        assert await composed.down("web") in (0, 143, -signal.SIGTERM)
        assert await composed.down("emulator") == 0
