"""Look an installation over, from this machine, changing nothing."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from service.actions.diagnose_account import look_at_account, look_at_senders
from service.actions.jobs import RECURRING
from service.clock import Clock
from service.domain.diagnosis import (
    Finding,
    fail,
    judge_clock,
    judge_lost_webhooks,
    judge_number_key,
    judge_postgresql,
    judge_public_address,
    judge_schema,
    judge_worker,
    ok,
    warn,
)
from service.domain.phone import key_fingerprint
from service.domain.programs import Program
from service.domain.schedule import Every
from service.errors import PollwireError
from service.sms.gateway import AccountReader
from service.store import health, installation, jobs, migrations
from service.store.catalog import Catalog
from service.store.engine import Sessions, why_unusable
from service.store.looks import read_backfilled

_DATABASE_PATIENCE_SECONDS = 6
_PUBLIC_PATIENCE_SECONDS = 4


@dataclass(frozen=True)
class Premises:
    """What there is to look at.

    Attributes:
        number_secret: ``None`` where ``NUMBER_KEY`` is not set.
        is_twilio: texts really go out.
        open_engine: of a database that may be missing or broken.
        accounts: the carrier's account under each auth token, in order.
        key_account: the same under the API key, where one is set.
    """

    data_dir: Path
    public_base_url: str
    number_secret: bytes | None
    has_secret_key: bool
    is_twilio: bool
    clock_start: datetime | None
    open_engine: Callable[[], AbstractAsyncContextManager[AsyncEngine]]
    accounts: Sequence[AccountReader]
    key_account: AccountReader | None


@dataclass
class _Seen:
    """What the database told; empty where it told nothing."""

    findings: list[Finding] = field(default_factory=list)
    fingerprint: str | None = None
    programs: Sequence[Program] = ()
    clocks: dict[str, float] = field(default_factory=dict)


async def diagnose(premises: Premises) -> list[Finding]:
    """Every check that can be made, those on which others rest first."""
    seen = await _look_at_database(premises)
    account = await look_at_account(premises.accounts)
    if account.ahead_seconds is not None:
        seen.clocks["Twilio's API"] = account.ahead_seconds
    secret = premises.number_secret
    return [
        judge_number_key(key_fingerprint(secret) if secret else None, seen.fingerprint),
        _judge_secret_key(is_set=premises.has_secret_key),
        _judge_folder(premises.data_dir),
        *seen.findings,
        judge_clock(seen.clocks, premises.clock_start),
        judge_public_address(premises.public_base_url, is_twilio=premises.is_twilio),
        await _look_from_outside(premises.public_base_url),
        *account.findings,
        *await look_at_senders(
            premises.key_account or account.reader,
            seen.programs,
            f"{premises.public_base_url}/webhooks/twilio/inbound",
        ),
    ]


def _judge_secret_key(*, is_set: bool) -> Finding:
    if is_set:
        return ok("SECRET_KEY", "set")
    mend = "Make one with python3 -c 'import secrets; print(secrets.token_urlsafe(32))'."
    return fail("SECRET_KEY", "not set", mend)


def _judge_folder(folder: Path) -> Finding:
    mend = "Make the folder and give it to the account pollwire runs as."
    try:
        if folder.exists():
            with tempfile.TemporaryFile(dir=folder):
                return ok("DATA_DIR", f"{folder} can be written")
    except OSError as error:
        return fail("DATA_DIR", f"{folder} cannot be written: {error.strerror}", mend)
    parent = next(parent for parent in folder.parents if parent.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return ok("DATA_DIR", f"{folder} is not there yet and can be made")
    return fail("DATA_DIR", f"{folder} is not there and cannot be made", mend)


async def _look_at_database(premises: Premises) -> _Seen:
    seen = _Seen()
    try:
        async with premises.open_engine() as engine, asyncio.timeout(_DATABASE_PATIENCE_SECONDS):
            await _look_inside(engine, premises.clock_start, seen)
    except PollwireError as error:
        mend = "Set DATABASE_URL, or make the embedded database with: pollwire migrate"
        seen.findings.append(fail("database", str(error), mend))
    except Exception as error:  # noqa: BLE001  (whatever is wrong with it is the finding)
        mend = "Start the server, or correct DATABASE_URL (its host, role, password, database)."
        seen.findings.append(fail("database", why_unusable(error), mend))
    return seen


async def _look_inside(engine: AsyncEngine, start: datetime | None, seen: _Seen) -> None:
    clock = Clock()
    async with Sessions(engine)() as session:
        asked_at = clock.now()
        server = await health.read_server(session)
        halfway = asked_at + (clock.now() - asked_at) / 2
        seen.clocks["database"] = (server.now - halfway).total_seconds()
        seen.findings.append(judge_postgresql(server.version_number))
        revision = await migrations.current(engine)
        serves, is_known = migrations.serves(revision), migrations.knows(revision)
        seen.findings.append(judge_schema(revision, serves=serves, is_known=is_known))
        if not serves:
            return
        seen.fingerprint = await installation.standing(session, installation.NUMBER_KEY_FINGERPRINT)
        seen.programs = (await Catalog().programs(session)).all
        seen.findings.append(_judge_programs(seen.programs))
        often = [name for name, turn in RECURRING.items() if isinstance(turn, Every)]
        now = await _own_now(session, start)
        seen.findings.append(judge_worker(await jobs.recurring(session, often), now))
        lost = await read_backfilled(session)
        seen.findings.append(judge_lost_webhooks(lost.texts, lost.last_at, now))


async def _own_now(session: AsyncSession, start: datetime | None) -> datetime:
    """The installation's own time, which may be shifted."""
    if start is None:
        return Clock().now()
    stands = await installation.standing(session, installation.clock_offset(start))
    return Clock(timedelta(seconds=float(stands))).now() if stands else start


def _judge_programs(programs: Sequence[Program]) -> Finding:
    if programs:
        return ok(
            "program", ", ".join(f"{program.slug} on {program.sender}" for program in programs)
        )
    mend = "Make one with: pollwire program set --name … --sender … --keyword …"
    return fail("program", "there is none, so no text has an addressee", mend)


async def _look_from_outside(address: str) -> Finding:
    """The public address, as far as it can be seen from this machine."""
    check, patience = "public address", aiohttp.ClientTimeout(total=_PUBLIC_PATIENCE_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=patience) as http,
            http.get(f"{address}/healthz") as answer,
        ):
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return warn(
            check,
            f"{address}/healthz cannot be reached from here ({type(error).__name__})",
            "Start pollwire serve and the proxy before it, then try from a machine outside.",
        )
    if status == 200:
        return ok(check, f"{address}/healthz answers")
    return fail(
        check,
        f"{address}/healthz answers {status}",
        "Start pollwire serve and let the proxy hand everything below PUBLIC_BASE_URL to it.",
    )
