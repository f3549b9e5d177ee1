"""Build the runtime from the settings, and take it down again."""

import asyncio
import gc
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from service.actions.diagnose import Premises
from service.clock import Clock
from service.domain.phone import key_fingerprint
from service.errors import SettingsError
from service.notify import WebhookNotifier
from service.runtime import Runtime
from service.settings import Settings
from service.sms.twilio import TwilioGateway
from service.store import embedded, migrations
from service.store.catalog import Catalog
from service.store.engine import Sessions, make_engine
from service.store.installation import NUMBER_KEY_FINGERPRINT, clock_offset, settle

EMBEDDED_DATABASE = "pollwire"
_BATCHES_OF_GARBAGE = 20_000
"""New objects between two collections; a batch of texts makes thousands, nearly all acyclic."""


@asynccontextmanager
async def open_engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The database's engine; starts the embedded server where ``DATABASE_URL`` is unset.

    The process that started the server stops it here at its end; others only attach.
    """
    async with AsyncExitStack() as stack:
        url = settings.database_url
        if url is None:
            url = await _start_embedded(settings.data_dir, stack)
        engine = make_engine(url)
        stack.push_async_callback(engine.dispose)
        yield engine


async def _start_embedded(data_dir: Path, stack: AsyncExitStack) -> str:
    server = await asyncio.to_thread(embedded.start, data_dir / "postgres")
    if server.started_here:
        stack.push_async_callback(asyncio.to_thread, server.stop)
    await asyncio.to_thread(embedded.ensure_database, server, EMBEDDED_DATABASE)
    return server.url(EMBEDDED_DATABASE)


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """The runtime of one process.

    Raises:
        SettingsError: a setting is missing, the schema is not at head, or ``NUMBER_KEY`` is not
            the one this database was filled under.
    """
    secret = number_secret(settings)
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_engine(settings))
        await _check_schema(engine, embedded_server=settings.database_url is None)
        sessions = Sessions(engine)
        stack.push_async_callback(sessions.close)
        await _check_fingerprint(sessions, secret)
        yield Runtime(
            sessions=sessions,
            clock=await _shared_clock(sessions, settings),
            catalog=Catalog(),
            number_secret=secret,
            public_base_url=settings.public_base_url,
            gateway=_gateway(settings, stack),
            notifier=_notifier(settings, stack),
            send_rate=settings.send_rate,
            send_concurrency=settings.send_concurrency,
            settle_seconds=settings.settle_seconds,
            auto_pause_percent=settings.auto_pause_percent,
            name=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}",
        )


def spare_what_stands() -> None:
    """What a serving process holds by now stays: garbage collection need not go through it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_BATCHES_OF_GARBAGE)


def number_secret(settings: Settings) -> bytes:
    """``NUMBER_KEY`` as bytes.

    Raises:
        SettingsError: it is not set.
    """
    if settings.number_key is None:
        raise SettingsError(
            "NUMBER_KEY is not set; make one once, keep it for good and back it up: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return settings.number_key.get_secret_value().encode()


async def _check_schema(engine: AsyncEngine, *, embedded_server: bool) -> None:
    try:
        if migrations.serves(await migrations.current(engine)):
            return
        if embedded_server:
            await migrations.upgrade(engine)
            return
    except (SQLAlchemyError, OSError) as error:
        raise SettingsError(f"DATABASE_URL: no connection ({type(error).__name__})") from error
    raise SettingsError("the database's schema is older than this version; run: pollwire migrate")


async def _check_fingerprint(sessions: Sessions, secret: bytes) -> None:
    """A changed key would forget every opt-out, so it is refused."""
    fingerprint = key_fingerprint(secret)
    async with sessions.begin() as session:
        if await settle(session, NUMBER_KEY_FINGERPRINT, fingerprint) != fingerprint:
            raise SettingsError(
                "NUMBER_KEY is not the one this database was filled under; "
                "every opt-out would be forgotten, so nothing starts"
            )


async def _shared_clock(sessions: Sessions, settings: Settings) -> Clock:
    """The clock, shifted alike in all processes where ``POLLWIRE_CLOCK_START`` is set."""
    start = settings.pollwire_clock_start
    if start is None:
        return Clock()
    offset = start - Clock().now()
    async with sessions.begin() as session:
        stands = await settle(session, clock_offset(start), str(offset.total_seconds()))
    return Clock(timedelta(seconds=float(stands)))


def _gateway(settings: Settings, stack: AsyncExitStack) -> TwilioGateway | None:
    if settings.rest_credentials is None or settings.twilio_account_sid is None:
        return None
    return _twilio(settings, settings.rest_credentials, stack)


def _notifier(settings: Settings, stack: AsyncExitStack) -> WebhookNotifier | None:
    if settings.alert_webhook_url is None or settings.secret_key is None:
        return None
    notifier = WebhookNotifier(
        settings.alert_webhook_url.get_secret_value(),
        settings.secret_key.get_secret_value().encode(),
    )
    stack.push_async_callback(notifier.close)
    return notifier


def _twilio(
    settings: Settings, credentials: tuple[str, str], stack: AsyncExitStack
) -> TwilioGateway:
    gateway = TwilioGateway(
        settings.twilio_account_sid or "",
        *credentials,
        base_url=settings.twilio_api_base_url,
        connections=settings.send_concurrency,
    )
    stack.push_async_callback(gateway.close)
    return gateway


@asynccontextmanager
async def open_premises(settings: Settings) -> AsyncIterator[Premises]:
    """What ``doctor`` looks at; opens without refusing anything, for faults are what it is for."""
    async with AsyncExitStack() as stack:
        sid = settings.twilio_account_sid
        tokens = settings.auth_tokens if sid else ()
        key_is_set = settings.twilio_api_key_sid and settings.twilio_api_key_secret
        yield Premises(
            data_dir=settings.data_dir,
            public_base_url=settings.public_base_url,
            number_secret=number_secret(settings) if settings.number_key else None,
            has_secret_key=settings.secret_key is not None,
            is_twilio=settings.is_twilio,
            clock_start=settings.pollwire_clock_start,
            open_engine=partial(_open_standing_engine, settings),
            accounts=tuple(_twilio(settings, (sid or "", token), stack) for token in tokens),
            key_account=_gateway(settings, stack) if key_is_set else None,
        )


@asynccontextmanager
async def _open_standing_engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The engine of a database that is there: a look at it must not make one."""
    if settings.database_url is None and not embedded.holds_cluster(settings.data_dir / "postgres"):
        raise SettingsError("there is no database in DATA_DIR yet, and DATABASE_URL is not set")
    async with open_engine(settings) as engine:
        yield engine
