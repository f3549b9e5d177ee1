"""Texts in: all rules on, against one-row INSERTs; few callers, many, and two web workers."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import client, forms, pgbench
from benchmarks.people import deliver, make_open_poll, make_people, make_program, settle
from benchmarks.report import Row, against
from benchmarks.rig import Rig, cpu_seconds
from service.actions.polls import close_poll
from service.runtime import Runtime

DATABASE = "crowd"
_MOST_A_SECOND = 9_000
_SECONDS = 4
_EARLIER_POLLS = 3


@dataclass
class Crowd:
    """The people of the database under load, and how many texts they have sent so far."""

    people: int
    sent: int = 0

    def texts(self, count: int) -> list[bytes]:
        """The next texts."""
        first, self.sent = self.sent, self.sent + count
        return [forms.text_from(index, self.people) for index in range(first, self.sent)]


async def gather(rig: Rig, runtime: Runtime) -> Crowd:
    """200,000 subscribers who were asked four polls, the last of them open (quick: 20,000, one)."""
    people = int(rig.pick(20_000, 200_000))
    program_id = await make_program(runtime)
    await make_people(runtime, program_id, people)
    for index in range(0 if rig.quick else _EARLIER_POLLS):
        await make_open_poll(runtime, f"earlier-{index}")
        await deliver(runtime, f"earlier-{index}")
        await close_poll(runtime, f"earlier-{index}")
    await make_open_poll(runtime, "coaching")
    await deliver(runtime, "coaching")
    await settle(runtime)
    return Crowd(people)


async def measure(rig: Rig, crowd: Crowd) -> list[Row]:
    """Yardstick, one worker with few and with many callers, two workers; in turn.

    The machine's speed changes by the minute, and what writes much leaves work behind for what
    comes next: so there are many short rounds, each in an order of its own.
    """
    yard, inserts, costs = [], [], []
    few, many, two = [], [], []
    async with rig.web(DATABASE) as (port, web), rig.web(DATABASE, workers=2) as (port_of_two, _):

        async def take_yardstick() -> None:
            before = rig.database_seconds()
            yard.append(await pgbench.inserts_per_second(rig, _SECONDS))
            inserts.append((rig.database_seconds() - before) / (yard[-1] * _SECONDS) * 1e6)

        async def take_few() -> None:
            before = cpu_seconds(web.pid), rig.database_seconds()
            few.append(await _load(crowd, client.Load(port, _SECONDS)))
            spent = cpu_seconds(web.pid) - before[0], rig.database_seconds() - before[1]
            costs.append([part / few[-1].answered * 1e6 for part in spent])

        async def take_many() -> None:
            many.append(await _load(crowd, client.Load(port, _SECONDS, connections=64)))

        async def take_two() -> None:
            two.append(await _load(crowd, client.Load(port_of_two, _SECONDS, connections=128)))

        await _warm_up(crowd, port, port_of_two)
        turns = [take_yardstick, take_few, take_many, take_two]
        for _ in range(int(rig.pick(2, 7))):
            for take in random.sample(turns, len(turns)):
                await take()
    app, database = (median(column) for column in zip(*costs, strict=True))
    of_few = (
        f"; CPU a text {app:.0f} + {database:.0f} µs (web + database), "
        f"a yardstick INSERT {median(inserts):.0f} µs (database)"
    )
    return [
        _row("one worker, to one-row INSERTs of pgbench", 0.35, few, yard, of_few),
        _row("one worker and 64 connections, to the same", 0.25, many, yard),
        _row("two workers and 128 connections, to the same", 0.6, two, yard),
    ]


def _row(
    name: str,
    least: float,
    outcomes: Sequence[client.Outcome],
    yard: Sequence[float],
    more: str = "",
) -> Row:
    rates = [outcome.rate for outcome in outcomes]
    ratios = [rate / base for rate, base in zip(rates, yard, strict=True)]
    note = (
        f"p50 {median(o.p50 for o in outcomes):.1f} ms, p99 {median(o.p99 for o in outcomes):.0f} "
        f"ms; ratios {min(ratios):.2f} to {max(ratios):.2f}; "
        f"{sum(o.refused for o in outcomes)} refused{more}"
    )
    name = f"inbound texts, {name}"
    return against(name, "texts/s", least, median(rates), median(yard), median(ratios), note)


async def _warm_up(crowd: Crowd, *ports: int) -> None:
    for port in ports:
        await client.run(client.Load(port, 1.5), crowd.texts(6_000))


async def _load(crowd: Crowd, load: client.Load) -> client.Outcome:
    return await client.run(load, crowd.texts(int(load.seconds * _MOST_A_SECOND)))
