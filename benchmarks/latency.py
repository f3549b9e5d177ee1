"""How long a member's text waits for its answer while texts come steadily."""

from statistics import median

from benchmarks import client
from benchmarks.inbound import DATABASE, Crowd
from benchmarks.report import Row
from benchmarks.rig import Rig

_RATE = 250
_MOST_MS = 50


async def measure(rig: Rig, crowd: Crowd) -> list[Row]:
    """Open loop: 250 texts a second whatever the answers do, time from when each was due."""
    seconds = rig.pick(5, 15)
    outcomes = []
    async with rig.web(DATABASE) as (port, _):
        await client.run(client.Load(port, 1), crowd.texts(3_000))
        for _ in range(rig.rounds):
            texts = crowd.texts(int(_RATE * seconds))
            outcomes.append(await client.run(client.Load(port, seconds, rate=_RATE), texts))
    p99 = median(outcome.p99 for outcome in outcomes)
    p50 = median(outcome.p50 for outcome in outcomes)
    return [
        Row(
            f"inbound p99 at {_RATE} texts/s, open loop",
            "ms",
            f"<= {_MOST_MS}",
            round(p99, 1),
            _MOST_MS,
            round(p99 / _MOST_MS, 3),
            p99 <= _MOST_MS,
            f"p50 {p50:.1f} ms",
        )
    ]
