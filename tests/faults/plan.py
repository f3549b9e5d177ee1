"""What goes wrong in a round, and when: drawn from the seed alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

WITHIN_SECONDS, CARRIER_WITHIN_SECONDS = 5.0, 2.0
"""Trouble begins while texts go out and answers come in; the carrier's soon enough for most."""
LONGEST_LATE_SECONDS, LONGEST_LIST_LAG_SECONDS = 6.0, 3.0
LONGEST_FREEZE_SECONDS = 5.0
"""Together they stay below the shortest settle time, 12 seconds; see docs/reliability.md."""


class Kind(StrEnum):
    """One kind of trouble."""

    KILL_WORKER = "kill worker"
    KILL_WEB = "kill web"
    FREEZE_WORKER = "freeze worker"
    KILL_DATABASE = "kill database"
    RESTART_DATABASE = "restart database"
    CUT_DATABASE = "stop database at once"
    FREEZE_CARRIER = "freeze carrier"
    SILENT_CARRIER = "silent carrier"
    STORM = "storm of 429"
    LOST_ANSWERS = "answers of the carrier lost"
    BAD_RECEIPTS = "receipts lost, doubled, reordered"


CARRIERS = frozenset({Kind.SILENT_CARRIER, Kind.STORM, Kind.LOST_ANSWERS, Kind.BAD_RECEIPTS})
KILLS = frozenset({Kind.KILL_WORKER, Kind.KILL_WEB, Kind.KILL_DATABASE})
_WEIGHTS: Mapping[Kind, int] = {
    Kind.KILL_WORKER: 2,
    Kind.KILL_WEB: 2,
    Kind.FREEZE_WORKER: 1,
    Kind.KILL_DATABASE: 1,
    Kind.RESTART_DATABASE: 1,
    Kind.CUT_DATABASE: 1,
    Kind.FREEZE_CARRIER: 2,
    Kind.SILENT_CARRIER: 1,
    Kind.STORM: 1,
    Kind.LOST_ANSWERS: 4,
    Kind.BAD_RECEIPTS: 2,
}
_LOST_ANSWERS: Mapping[str, float] = {
    "dropped": 0.08,
    "dropped_before": 0.08,
    "dropped_late": 0.08,
    "error_after": 0.05,
    "error": 0.05,
    "silent": 0.01,
    "silent_after": 0.01,
    "early": 0.05,
    "blocked": 0.001,
    "blocked_later": 0.001,
}
_BAD_RECEIPTS: Mapping[str, float] = {
    "lost_receipts_share": 0.05,
    "doubled_receipts_share": 0.10,
    "reordered_receipts_share": 0.30,
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong.

    Attributes:
        at_seconds: after the poll has opened.
        seconds: how long it lasts; for a kill, until the restart begins.
        index: which of two processes.
    """

    kind: Kind
    at_seconds: float
    seconds: float
    index: int = 0


def draw_plan(seed: int, number: int, outage_seconds: float = 0.0) -> list[Trouble]:
    """A round's trouble in order: a worker and a web process killed, and two to four things more.

    The same seed and round give the same plan.

    Args:
        outage_seconds: how long the database is away, besides, in every fifth round.
    """
    random = Random(f"{seed}:{number}")
    kinds = [Kind.KILL_WORKER, Kind.KILL_WEB]
    kinds += random.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=random.randint(2, 4))
    plan = [_draw_trouble(random, kind) for kind in kinds]
    if outage_seconds and number % 5 == 0:
        plan.append(Trouble(Kind.CUT_DATABASE, CARRIER_WITHIN_SECONDS, outage_seconds))
    return sorted(plan, key=lambda trouble: trouble.at_seconds)


def _draw_trouble(random: Random, kind: Kind) -> Trouble:
    shortest, longest = (0.0, 2.0) if kind in KILLS else (1.0, LONGEST_FREEZE_SECONDS)
    if kind in CARRIERS:
        shortest, longest = 3.0, 6.0
    return Trouble(
        kind,
        at_seconds=random.uniform(
            0.2, CARRIER_WITHIN_SECONDS if kind in CARRIERS else WITHIN_SECONDS
        ),
        seconds=random.uniform(shortest, longest),
        index=random.randrange(2),
    )


def carrier_plan(troubles: Sequence[Trouble]) -> dict[str, Any]:
    """What the emulator is told while these troubles last; the list always lags."""
    plan: dict[str, Any] = {
        "list_lag_seconds": LONGEST_LIST_LAG_SECONDS,
        "late_accept_seconds": [1, LONGEST_LATE_SECONDS],
        "silence_seconds": 20,
    }
    kinds = {trouble.kind for trouble in troubles}
    if Kind.LOST_ANSWERS in kinds:
        # Where the receipt gets lost as well, only the list can tell.
        plan |= {"create_shares": dict(_LOST_ANSWERS), "lost_receipts_share": 0.3}
    if Kind.STORM in kinds:
        plan["create_shares"] = plan.get("create_shares", {}) | {"busy": 0.5}
    if Kind.BAD_RECEIPTS in kinds:
        plan |= _BAD_RECEIPTS
    if Kind.SILENT_CARRIER in kinds:
        plan["silent"] = True
    return plan
