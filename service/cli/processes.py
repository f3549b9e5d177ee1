"""``serve``, ``worker`` and ``run``: the processes of an installation."""

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.errors import SettingsError

if TYPE_CHECKING:
    from service.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on.  [env: HOST]")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.  [env: PORT]")]

_GRACE_SECONDS = 10


def serve(host: Host = None, port: Port = None) -> None:
    """Answer webhooks and show pages.

    Example: `pollwire serve --port 8000`
    """
    settings = _settings(host, port)
    if settings.web_concurrency > 1 and settings.database_url is None:
        raise SettingsError("WEB_CONCURRENCY above 1 needs a server database: set DATABASE_URL")
    workers = settings.web_concurrency if settings.web_concurrency > 1 else None
    _run_server("service.asgi:create_app", settings, factory=True, workers=workers)


def worker() -> None:
    """Open, send and close polls, and do all other background work.

    Example: `pollwire worker`
    """
    import uvloop

    from service.bootstrap import open_runtime, spare_what_stands
    from service.logs import configure
    from service.worker import run_worker

    settings = _settings(None, None)
    configure(settings.log_level, settings.log_format)

    async def whole() -> None:
        stop = _stop_on_signals()
        async with open_runtime(settings) as runtime:
            spare_what_stands()
            await run_worker(runtime, stop)

    uvloop.run(whole())


def run(host: Host = None, port: Port = None) -> None:
    """Both in one process, for a small installation.

    Example: `pollwire run`
    """
    from service.asgi import create_app

    settings = _settings(host, port)
    _run_server(create_app(settings, with_worker=True), settings)


def _run_server(app: object, settings: "Settings", **options: Any) -> None:
    import uvicorn

    from service.logs import configure

    configure(settings.log_level, settings.log_format)
    # The server stops gracefully and then signals itself anew; that must not look like a crash.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        uvicorn.run(
            app,  # type: ignore[arg-type]
            host=settings.host,
            port=settings.port,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # what they say is nowhere believed
            log_config=None,
            http="service.web.one_write:OneWriteProtocol",
            log_level=settings.log_level,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            **options,
        )
    except SystemExit as ended:
        raise typer.Exit(1 if ended.code else 0) from None


def _settings(host: str | None, port: int | None) -> "Settings":
    from service.settings import read_settings

    given = {"host": host, "port": port}
    return read_settings(**{name: value for name, value in given.items() if value is not None})


def _stop_on_signals() -> asyncio.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
