"""``doctor``: what is set, what is wrong, and how to mend it."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from service.cli.common import AsJson, print_json

if TYPE_CHECKING:
    from service.domain.diagnosis import Finding

_MARGIN = 8
_HEALTHY = "Nothing must be mended."
_UNHEALTHY = "Mend what failed, then run it again: some checks wait for others."


def doctor(as_json: AsJson = False) -> None:
    """Look over settings, database, Twilio account and webhooks; say how to mend each.

    Changes nothing, shows no secret. Exit code 1 when something must be mended.

    Example: `pollwire doctor`
    """
    from service.domain.diagnosis import is_healthy
    from service.settings import shown_settings

    settings, findings = shown_settings(), _look()
    healthy = is_healthy(findings)
    if as_json:
        checks = [asdict(finding) for finding in findings]
        print_json({"healthy": healthy, "settings": settings, "checks": checks})
    else:
        _print(settings, findings)
        print()
        print(_HEALTHY if healthy else _UNHEALTHY)
    if not healthy:
        raise typer.Exit(1)


def _look() -> "list[Finding]":
    from service.actions.diagnose import diagnose
    from service.bootstrap import open_premises
    from service.domain.diagnosis import fail, ok
    from service.settings import read_settings, settings_problems

    problems = settings_problems()
    if problems:
        mend = "Correct it; docs/operations.md lists all settings. The other checks wait for it."
        return [fail("settings", problem, mend) for problem in problems]

    async def whole() -> "list[Finding]":
        async with open_premises(read_settings()) as premises:
            return await diagnose(premises)

    return [ok("settings", "all can be read"), *asyncio.run(whole())]


def _print(settings: dict[str, str], findings: "list[Finding]") -> None:
    for name, value in settings.items():
        print(f"{name:24}{value}")
    print()
    for finding in findings:
        print(f"{finding.verdict.value:{_MARGIN}}{finding.check}: {finding.says}")
        if finding.mend:
            print(f"{'':{_MARGIN}}→ {finding.mend}")
