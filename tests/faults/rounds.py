"""``python -m tests.faults.rounds --rounds 100``: is nobody texted twice, and nobody lost?

Each round asks a crowd of members a question while processes are killed, PostgreSQL goes away and
the carrier misbehaves, all drawn from the seed. Then the trouble ends, the round waits until the
ledger is settled, and the carrier's log is held against the ledger. One line a round; the sums go
to a JSON file; the exit code is 0 only if every figure that should be nought is.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from service.actions.polls import close_poll, create_poll, open_poll, schedule_poll
from service.actions.review import list_waiting, release
from service.errors import RefusedError
from service.runtime import Runtime
from tests.acceptance.house import until
from tests.faults.compare import (
    Findings,
    compare,
    due_numbers,
    let_a_month_pass,
    missing_texts,
    unsettled,
)
from tests.faults.plan import Trouble, draw_plan
from tests.faults.stage import Stage, open_stage

SETTLE_SECONDS = 12
ROUND_SECONDS = 120.0
_QUICK = (
    *("--answer-seconds", "0.3,4", "--receipt-seconds", "0.05,0.5"),
    *("--connect-retry-seconds", "2", "--concurrency-limit", "100"),
)
_MOST_BAD_ROUNDS = 5


@dataclass
class Sums:
    """Figures over all rounds, as they go to the file."""

    rounds: int = 0
    texts: int = 0
    kills: int = 0
    twice: int = 0
    lost: int = 0
    answers_lost: int = 0
    in_doubt_after: int = 0
    unrecorded: int = 0
    unsettled: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    seed: int = 0

    def add(self, found: Findings) -> None:
        """Count one round in."""
        self.rounds += 1
        self.texts += found.texts
        self.twice += len(found.twice)
        self.lost += len(found.lost)
        self.answers_lost += len(found.answers_lost)
        self.unrecorded += len(found.unrecorded)
        self.in_doubt_after += found.unsettled.get("in_doubt", 0)
        self.unsettled += sum(found.unsettled.values())

    @property
    def is_clean(self) -> bool:
        """Whether everything that should be nought is."""
        return not (
            self.twice
            + self.lost
            + self.answers_lost
            + self.in_doubt_after
            + self.unrecorded
            + self.unsettled
        )


class Rounds:
    """Runs rounds on a stage."""

    def __init__(self, stage: Stage, seed: int) -> None:
        assert stage.house.runtime is not None
        self._stage = stage
        self._runtime: Runtime = stage.house.runtime
        self._seed = seed
        self._read_until = 0
        self.sums = Sums(seed=seed)

    async def gather(self, members: int) -> None:
        """Let the crowd join, undisturbed."""
        await self._stage.everything_up()
        crowd = {
            "members": members,
            "seed": self._seed,
            "keyword": "STAT",
            "joins_per_second": 400,
        }
        await self._stage.house.emulator("POST", "/crowd", crowd)
        await until(self._stage.house.quiet, "everybody has joined", ROUND_SECONDS)
        self._read_until = (await self._read_log())[-1]["n"]

    async def run(self, number: int, plan: Sequence[Trouble]) -> Findings:
        """One round; gives what was found."""
        await self._release()
        due = await due_numbers(self._runtime.sessions)
        slug = await self._open(number)
        async with asyncio.TaskGroup() as troubles:
            for trouble in plan:
                troubles.create_task(self._stage.befall(trouble))
        await self._stage.everything_up()
        await self._settled(slug)
        log = await self._read_log()
        found = await compare(self._runtime, slug, due, log)
        await close_poll(self._runtime, slug)
        await let_a_month_pass(self._runtime)
        self._read_until = log[-1]["n"]
        self.sums.add(found)
        self.sums.kills = self._stage.kills
        return found

    async def _release(self) -> None:
        """Let staff look at what waits, so that everybody is asked in the next round."""
        for waiting in await list_waiting(self._runtime):
            # One release may settle another text of the same person.
            with suppress(RefusedError):
                await release(self._runtime, waiting["id"], actor="faults")

    async def _open(self, number: int) -> str:
        content = {
            "slug": f"round-{number}",
            "title": f"Round {number}",
            "questions": [
                {
                    "text": f"Round {number}: does your organization coach clinicians?",
                    "kind": "yes_no",
                    "choices": ["yes", "no", {"label": "N/A", "applicable": False}],
                },
                {"text": "Tell us how, in a few words.", "kind": "open", "when": "yes"},
            ],
        }
        slug = await create_poll(self._runtime, content, program=None, actor="faults")
        now = self._runtime.clock.now()
        closes_at = now + timedelta(days=1)
        await schedule_poll(self._runtime, slug, opens_at=now, closes_at=closes_at)
        await open_poll(self._runtime, slug)
        return slug

    async def _settled(self, slug: str) -> None:
        """Wait until crowd and ledger are quiet; at the deadline what is missing is found."""

        async def is_settled() -> bool:
            if await unsettled(self._runtime, slug):
                return False
            # Only now: who got the last of the texts has still to answer it.
            if not await self._stage.house.quiet():
                return False
            # Texts whose webhook failed for good may still come in by the carrier's list.
            return not await missing_texts(self._runtime, await self._read_log())

        try:
            await until(is_settled, "the round is settled", ROUND_SECONDS)
        except AssertionError as late:
            print(f"round {self.sums.rounds + 1}: {late}", file=sys.stderr)

    async def _read_log(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after = self._read_until
        while True:
            page = await self._stage.house.emulator("GET", f"/log?after={after}&limit=5000")
            if not page["rows"]:
                return rows
            rows += page["rows"]
            after = page["next"]


async def run_rounds(
    folder: Path,
    *,
    rounds: int,
    members: int,
    seed: int,
    keep: Path,
    settle_seconds: int = SETTLE_SECONDS,
    outage_seconds: float = 0.0,
    out: Path | None = None,
) -> Sums:
    """Rounds on a stage of their own; ends early when too many go wrong or none would end.

    After each round the figures so far are written to ``out``.
    """
    began = time.monotonic()
    deadline = began + rounds * ROUND_SECONDS / 2 + ROUND_SECONDS
    settings = {"SEND_RATE": "200", "SETTLE_SECONDS": str(settle_seconds)}
    bad_rounds = 0
    async with open_stage(folder, **settings) as stage:
        await stage.start(seed, *_QUICK)
        runner = Rounds(stage, seed)
        try:
            await runner.gather(members)
            for number in range(1, rounds + 1):
                started = time.monotonic()
                plan = draw_plan(seed, number, outage_seconds)
                async with asyncio.timeout(2 * ROUND_SECONDS):
                    found = await runner.run(number, plan)
                await _sum_up(runner.sums, stage, began, out)
                print(_line(number, found, plan, time.monotonic() - started), flush=True)
                if not found.is_clean:
                    bad_rounds += 1
                    stage.keep_logs(keep / f"round-{number}")
                    print(f"  {found}", file=sys.stderr, flush=True)
                if bad_rounds > _MOST_BAD_ROUNDS or time.monotonic() > deadline:
                    break
        except BaseException:
            stage.keep_logs(keep / "aborted")
            raise
    return runner.sums


async def _sum_up(sums: Sums, stage: Stage, began: float, out: Path | None) -> None:
    told = await stage.house.emulator("GET", "/faults")
    sums.faults = dict(sorted(stage.faults.items())) | dict(sorted(told.items()))
    sums.seconds = round(time.monotonic() - began, 1)
    if out is not None:
        await asyncio.to_thread(_write, sums, out)


def _write(sums: Sums, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(vars(sums), indent=2) + "\n")


def _line(number: int, found: Findings, plan: Sequence[Trouble], seconds: float) -> str:
    counts = Counter(trouble.kind.value for trouble in plan)
    told = ", ".join(f"{kind} x{times}" if times > 1 else kind for kind, times in counts.items())
    return (
        f"round {number}: {found.texts} texts, twice {len(found.twice)}, lost {len(found.lost)}, "
        f"answers lost {len(found.answers_lost)}, in doubt {found.unsettled.get('in_doubt', 0)}, "
        f"{seconds:.0f} s ({told})"
    )


def main() -> int:
    """Run as told; 0 when nobody was texted twice and nobody lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.rounds", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--members", type=int, default=1250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--settle-seconds", type=int, default=SETTLE_SECONDS)
    parser.add_argument(
        "--outage-seconds",
        type=float,
        default=0.0,
        help="let the database be away so long in every fifth round; beyond some 15 seconds Twilio "
        "gives texts up, and only a backfill brings them in",
    )
    parser.add_argument("--out", type=Path, default=Path("var/faults.json"))
    given = parser.parse_args()
    keep = given.out.parent / "faults"
    with tempfile.TemporaryDirectory(prefix="pollwire-faults-") as folder:
        sums = asyncio.run(
            run_rounds(
                Path(folder) / "stage",
                rounds=given.rounds,
                members=given.members,
                seed=given.seed,
                keep=keep,
                settle_seconds=given.settle_seconds,
                outage_seconds=given.outage_seconds,
                out=given.out,
            )
        )
    print(json.dumps(vars(sums)))
    return 0 if sums.is_clean and sums.rounds == given.rounds else 1


if __name__ == "__main__":
    sys.exit(main())
