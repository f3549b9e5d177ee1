"""What ``doctor`` makes of what it sees: each finding with its mend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from service.domain.masking import mask_address

OVERRIDES = "#ct=2000&rt=4000&rc=3&rp=5xx,ct,rt"
"""How patient Twilio shall be with the inbound address; see docs/operations.md."""

_OLDEST_POSTGRESQL = 14
_WIDEST_CLOCK_DIFFERENCE_SECONDS = 5.0
_WORKER_SEEN_WITHIN = timedelta(minutes=1)
_WEBHOOKS_LOST_WITHIN = timedelta(days=1)


class Verdict(StrEnum):
    """How bad it is: nothing, look at it, or mend it."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result.

    Attributes:
        check: what was looked at.
        says: what was found, without secrets.
        mend: one sentence; empty where all is well.
    """

    check: str
    verdict: Verdict
    says: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class InboundWebhook:
    """Where the carrier posts inbound texts, as set up there; empty strings where nothing is.

    Attributes:
        application_sid: an application that takes the texts instead.
        left_to_number: a service that leaves the address to each of its numbers.
    """

    url: str
    method: str
    fallback_url: str
    application_sid: str = ""
    left_to_number: bool = False


@dataclass(frozen=True, slots=True)
class RecurringJob:
    """A job that comes round for good: its last success, its next turn, its last trouble."""

    finished_at: datetime | None
    run_at: datetime
    leased_until: datetime | None
    last_error: str


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.OK, says)


def warn(check: str, says: str, mend: str) -> Finding:
    """It works, with a risk."""
    return Finding(check, Verdict.WARN, says, mend)


def fail(check: str, says: str, mend: str) -> Finding:
    """It must be mended."""
    return Finding(check, Verdict.FAIL, says, mend)


def is_healthy(findings: Sequence[Finding]) -> bool:
    """Whether nothing must be mended."""
    return all(finding.verdict is not Verdict.FAIL for finding in findings)


def judge_public_address(address: str, *, is_twilio: bool) -> Finding:
    """``PUBLIC_BASE_URL`` as Twilio needs it."""
    check, parts = "PUBLIC_BASE_URL", urlsplit(address)
    if "_" in (parts.hostname or ""):
        return fail(
            check,
            "its host holds an underscore, and Twilio calls no such host back",
            "Serve pollwire under a host name without an underscore and set PUBLIC_BASE_URL to it.",
        )
    if is_twilio and parts.scheme != "https":
        return fail(
            check,
            "it is not https, so texts and signatures would cross the network in the open",
            "Put a proxy with a certificate in front and set PUBLIC_BASE_URL to its https address.",
        )
    return ok(check, "https" if parts.scheme == "https" else "http, fit for a rehearsal only")


def judge_postgresql(version_number: int) -> Finding:
    """The server's version, as ``server_version_num`` tells it.

    >>> judge_postgresql(130011).verdict.value, judge_postgresql(180001).says
    ('fail', 'PostgreSQL 18')
    """
    major = version_number // 10_000
    if major < _OLDEST_POSTGRESQL:
        return fail(
            "database",
            f"PostgreSQL {major} is too old",
            f"Move the database to PostgreSQL {_OLDEST_POSTGRESQL} or later.",
        )
    return ok("database", f"PostgreSQL {major}")


def judge_schema(revision: str | None, *, serves: bool, is_known: bool) -> Finding:
    """The schema against this version's.

    Args:
        serves: this version can work on it.
        is_known: this version knows the revision.
    """
    if not serves:
        says = f"it is at {revision}, older than this version" if revision else "there is none yet"
        return fail("schema", says, "Run: pollwire migrate")
    if not is_known:
        return warn(
            "schema",
            f"{revision} is newer than this version",
            "Install the newer version here too.",
        )
    return ok("schema", f"at {revision}")


def judge_number_key(fingerprint: str | None, stored: str | None) -> Finding:
    """``NUMBER_KEY`` against the database it fills.

    Args:
        fingerprint: the key's; ``None`` where none is set.
        stored: the database's; ``None`` where nothing has started on it yet, or none is in reach.
    """
    check = "NUMBER_KEY"
    if fingerprint is None:
        return fail(
            check,
            "not set",
            "Set the key this database was filled under."
            if stored
            else "Make one with python3 -c 'import secrets; print(secrets.token_urlsafe(32))', "
            "keep it for good and back it up.",
        )
    if stored is None:
        return ok(check, "set; no database in reach has been filled under a key yet")
    if fingerprint != stored:
        return fail(
            check,
            "not the key this database was filled under, so every opt-out would be forgotten",
            "Set NUMBER_KEY to the old key, from your password store or beside your backups.",
        )
    return ok(check, "the key this database was filled under")


def judge_clock(ahead_seconds: Mapping[str, float], start: datetime | None) -> Finding:
    """This machine's clock against others.

    Args:
        ahead_seconds: how far each other clock is ahead of this machine's.
        start: ``POLLWIRE_CLOCK_START``, where set.
    """
    shifted = f"; POLLWIRE_CLOCK_START shifts pollwire's own from {start}" if start else ""
    if not ahead_seconds:
        return warn(
            "clock", "no other clock is in reach" + shifted, "Mend what is told above and below."
        )
    compared = ", ".join(f"{name} {ahead:+.1f} s" for name, ahead in ahead_seconds.items())
    if max(map(abs, ahead_seconds.values())) >= _WIDEST_CLOCK_DIFFERENCE_SECONDS:
        return fail(
            "clock",
            f"the clocks differ: {compared}{shifted}",
            "Turn on NTP on this machine and on the database's.",
        )
    return ok("clock", compared + shifted)


def judge_worker(jobs: Sequence[RecurringJob], now: datetime) -> Finding:
    """Whether a worker has been at work lately.

    Args:
        jobs: those that come round every few seconds.
        now: by pollwire's own clock.
    """
    lately = now - _WORKER_SEEN_WITHIN
    done = [job.finished_at for job in jobs if job.finished_at is not None]
    if any(job.leased_until is not None and job.leased_until > now for job in jobs):
        return ok("worker", "at work now")
    if done and max(done) >= lately:
        return ok("worker", f"seen {max(0, round((now - max(done)).total_seconds()))} s ago")
    troubles = [job.last_error for job in jobs if job.last_error and job.run_at >= lately]
    if troubles:
        return warn(
            "worker",
            "it runs, and its recurring jobs fail",
            "Look at `pollwire jobs list` and mend what the last error names.",
        )
    seen = f"last seen at {max(done):%Y-%m-%d %H:%M} UTC" if done else "never seen"
    return fail("worker", f"{seen}: nothing opens, sends or closes polls", "Start: pollwire worker")


def judge_lost_webhooks(texts: int, last_at: datetime | None, now: datetime) -> Finding:
    """Whether texts came that only the carrier's list told of.

    Args:
        texts: how many ever.
        last_at: when the last of them was taken in.
    """
    check = "lost webhooks"
    if last_at is None or now - last_at > _WEBHOOKS_LOST_WITHIN:
        return ok(check, f"none in the last day, {texts} ever" if texts else "none so far")
    return warn(
        check,
        f"{texts} texts so far came by Twilio's list only, "
        f"the last at {last_at:%Y-%m-%d %H:%M} UTC",
        "If pollwire serve was up, look at Twilio's error log for what its webhook met with.",
    )


def judge_webhook(program: str, webhook: InboundWebhook, address: str) -> list[Finding]:
    """Where texts to a program's sender go, against where they should.

    Args:
        address: ours, without overrides.
    """
    check, (url, _, overrides) = f"webhook of {program}", webhook.url.partition("#")
    wanted = f"Set it at Twilio, with POST, to {address}{OVERRIDES}"
    if webhook.application_sid:
        says = f"the application {webhook.application_sid} takes the texts"
        return [fail(check, says, f"Take the application off the number. {wanted}")]
    if not url:
        return [fail(check, "no address is set, so texts go nowhere", wanted)]
    if url != address:
        return [fail(check, f"texts go to {_shown(url)}, not to {address}", wanted)]
    if webhook.method.upper() != "POST":
        return [fail(check, f"it is called with {webhook.method}, not POST", wanted)]
    findings = [ok(check, f"{address}, connection overrides {overrides}")]
    if not overrides:
        findings = [
            warn(check, "no connection overrides: Twilio gives a text up after one failure", wanted)
        ]
    if webhook.fallback_url:
        return [*findings, ok(f"fallback of {program}", _shown(webhook.fallback_url))]
    says = "none is set: a text is lost when the webhook fails"
    return [*findings, warn(f"fallback of {program}", says, f"Set it at Twilio to {address}")]


def _shown(url: str) -> str:
    return mask_address(url).partition("?")[0]
