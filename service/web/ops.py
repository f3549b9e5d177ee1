"""Endpoints for operators: alive, ready, and the figures Prometheus scrapes."""

import asyncio
import logging
from collections.abc import Mapping, Sized
from dataclasses import asdict

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.clock import Clock
from service.metrics import Metrics
from service.runtime import Runtime
from service.store import migrations
from service.store.engine import describe
from service.store.health import Backlog, read_backlog, schema_revision

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 3
_FRESH_SECONDS = 1.0
_UNCACHED = {"cache-control": "no-store"}


class Operations:
    """What a process tells of itself.

    Args:
        queues: webhooks waiting in this process, by endpoint.
    """

    def __init__(self, runtime: Runtime, metrics: Metrics, queues: Mapping[str, Sized]) -> None:
        self._runtime = runtime
        self._metrics = metrics
        self._queues = queues
        self._read_at = float("-inf")
        self._one_reader = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Where it is told."""
        return [
            Route("/healthz", self.healthz, methods=["GET"]),
            Route("/readyz", self.readyz, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def healthz(self, request: Request) -> Response:
        """The process answers; whether it can do its work is ``/readyz``."""
        return JSONResponse({"status": "ok"}, headers=_UNCACHED)

    async def readyz(self, request: Request) -> Response:
        """200 when the database answers and has this version's schema, else 503 and why."""
        database, schema = "away", "unknown"
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), self._runtime.sessions() as session:
                revision = await schema_revision(session)
            database = "ok"
            schema = "ok" if migrations.serves(revision) else "not migrated"
        except Exception as error:  # noqa: BLE001  (whatever fails, it is not ready)
            _log.warning("not ready: %s", describe(error))
        ready = (database, schema) == ("ok", "ok")
        told = {"status": "ready" if ready else "not ready", "database": database, "schema": schema}
        return JSONResponse(told, 200 if ready else 503, _UNCACHED)

    async def metrics(self, request: Request) -> Response:
        """All figures; those of the database are at most a second old, or missing with it."""
        async with self._one_reader:
            if Clock.monotonic_seconds() - self._read_at > _FRESH_SECONDS:
                await self._look()
                self._read_at = Clock.monotonic_seconds()
        for endpoint, queue in self._queues.items():
            self._metrics.set_webhook_queue(endpoint, len(queue))
        headers = {**_UNCACHED, "content-type": CONTENT_TYPE_LATEST}
        return Response(self._metrics.exposition(), headers=headers)

    async def _look(self) -> None:
        try:
            backlog = await self._backlog()
        except Exception as error:  # noqa: BLE001  (the process's own figures are told anyway)
            _log.warning("metrics without the database's: %s", describe(error))
            self._metrics.database_up.set(0)
            self._metrics.forget_backlog()
            return
        self._metrics.database_up.set(1)
        self._metrics.set_backlog(**asdict(backlog))

    async def _backlog(self) -> Backlog:
        async with asyncio.timeout(_PATIENCE_SECONDS), self._runtime.sessions() as session:
            return await read_backlog(session, self._runtime.clock.now())
