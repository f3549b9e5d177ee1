"""Look at the carrier's account: whether it lets us in, and where it posts texts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from service.clock import Clock
from service.domain.diagnosis import Finding, InboundWebhook, fail, judge_webhook, ok, warn
from service.domain.programs import Program
from service.errors import NotTakenError, RejectedError, SendError
from service.sms.gateway import AccountReader

_HALF_A_SECOND = timedelta(seconds=0.5)
_UNKNOWN_CREDENTIALS, _NOT_FOUND = 20003, 20404


@dataclass
class AccountSeen:
    """What was found.

    Attributes:
        reader: lets us in; ``None`` where nothing does.
        ahead_seconds: how far the API's clock is ahead of ours.
    """

    findings: list[Finding] = field(default_factory=list)
    reader: AccountReader | None = None
    ahead_seconds: float | None = None


async def look_at_account(accounts: Sequence[AccountReader]) -> AccountSeen:
    """Whether each auth token opens the account.

    Args:
        accounts: the account under each token; the first is the one that is used.
    """
    seen = AccountSeen()
    if not accounts:
        seen.findings.append(
            fail(
                "Twilio account",
                "no account and token are set: nothing can be sent or believed",
                "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, from Twilio's console.",
            )
        )
        return seen
    for position, reader in enumerate(accounts, 1):
        try:
            await _open(reader, seen)
        except SendError as error:
            seen.findings.append(_refused(error, position))
    return seen


async def _open(reader: AccountReader, seen: AccountSeen) -> None:
    clock = Clock()
    asked_at = clock.now()
    account = await reader.read_account()
    if seen.reader is not None:
        return
    seen.reader = reader
    if account.now is not None:  # told in whole seconds, cut off
        halfway = asked_at + (clock.now() - asked_at) / 2
        seen.ahead_seconds = (account.now + _HALF_A_SECOND - halfway).total_seconds()
    seen.findings.append(
        ok("Twilio account", f"{account.name} is active")
        if account.status == "active"
        else fail(
            "Twilio account",
            f"{account.name} is {account.status}",
            "Ask Twilio's support why, and have it reinstated.",
        )
    )


def _refused(error: SendError, position: int) -> Finding:
    if position > 1:
        return warn(
            "Twilio account",
            f"token {position} of TWILIO_AUTH_TOKEN does not open it: {error}",
            "Take it off the list once the rotation is over.",
        )
    return fail("Twilio account", str(error), _mend(error))


def _mend(error: SendError) -> str:
    if not isinstance(error, RejectedError):
        return "Let this machine reach the API over the network, and check TWILIO_API_BASE_URL."
    if error.code in (_UNKNOWN_CREDENTIALS, _NOT_FOUND):
        return "Copy TWILIO_ACCOUNT_SID and the primary TWILIO_AUTH_TOKEN from Twilio's console."
    return "Use the account's live credentials, and look the code up in Twilio's list of errors."


async def look_at_senders(
    reader: AccountReader | None, programs: Sequence[Program], address: str
) -> list[Finding]:
    """Whether each program's sender is the account's, and posts its texts to ``address``."""
    if reader is None:
        return []
    findings: list[Finding] = []
    for program in programs:
        try:
            findings += await _look_at_sender(reader, program, address)
        except SendError as error:
            findings.append(_unreadable(error, program))
            if isinstance(error, NotTakenError):
                break
    return findings


def _unreadable(error: SendError, program: Program) -> Finding:
    mend = _mend(error)
    if error.code == _UNKNOWN_CREDENTIALS:
        mend = "Set TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET to a key of this account."
    return fail(f"sender of {program.slug}", str(error), mend)


async def _look_at_sender(reader: AccountReader, program: Program, address: str) -> list[Finding]:
    check, service = f"sender of {program.slug}", program.messaging_service_sid
    number = await reader.find_sender(program.sender)
    if number is None:
        mend = "Correct it with: pollwire program set --sender, as Twilio writes it in To."
        return [fail(check, f"the account has no {program.sender}", mend)]
    webhook: InboundWebhook | None = number
    if service:
        webhook = await reader.find_messaging_service(service)
    if webhook is None:
        mend = "Correct it with: pollwire program set --messaging-service-sid."
        return [fail(check, f"the account has no Messaging Service {service}", mend)]
    found = ok(check, f"{program.sender}{f' in {service}' if service else ''}")
    effective = number if webhook.left_to_number else webhook
    return [found, *judge_webhook(program.slug, effective, address)]
