"""All benchmarks: ``python -m benchmarks [--quick] [--only NAME …]``; writes ``var/bench.json``."""

import argparse
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from benchmarks import classify, fan_out, growth, inbound, latency, pages, receipts, send
from benchmarks.report import Row, not_measured, show, write
from benchmarks.rig import Rig, open_rig

_FOLDER = Path("var")
_RAPIDSMS = not_measured(
    "inbound texts to those of RapidSMS, same load", "ratio", ">= 25", "RapidSMS is not installed"
)
_ON_THE_CROWD = ("inbound", "receipts", "latency", "pages")
_ALONE: dict[str, Callable[[Rig], Awaitable[list[Row]]]] = {
    "send": send.measure,
    "fan_out": fan_out.measure,
    "growth": growth.measure,
    "classify": classify.measure,
}


def main() -> None:
    """Measure, print, write."""
    names = (*_ON_THE_CROWD, *_ALONE)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, a few minutes")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="some of them")
    told = parser.parse_args()
    with open_rig(_FOLDER.resolve() / "bench", quick=told.quick) as rig:
        rows = uvloop.run(_measure(rig, frozenset(told.only)))
    if set(told.only) == set(names):
        write(rows, _FOLDER / "bench.json")
    show(rows)


async def _measure(rig: Rig, wanted: frozenset[str]) -> list[Row]:
    rows = [_RAPIDSMS]
    if wanted & set(_ON_THE_CROWD):
        rows += await _on_the_crowd(rig, wanted)
    for name, measure in _ALONE.items():
        if name in wanted:
            rows += _told(await measure(rig))
    return rows


async def _on_the_crowd(rig: Rig, wanted: frozenset[str]) -> list[Row]:
    rows: list[Row] = []
    async with rig.database(inbound.DATABASE) as runtime:
        crowd = await inbound.gather(rig, runtime)
        if "inbound" in wanted:
            rows += _told(await inbound.measure(rig, crowd))
        if "latency" in wanted:
            rows += _told(await latency.measure(rig, crowd))
        if "receipts" in wanted:
            rows += _told(await receipts.measure(rig, runtime))
        if "pages" in wanted:
            rows += _told(await pages.measure(rig, runtime))
    return rows


def _told(rows: list[Row]) -> list[Row]:
    """Says each figure as it comes: a long run may be broken off."""
    for row in rows:
        print(f"{row.name}: {row.value} {row.unit}, ratio {row.ratio}; {row.note}", flush=True)
    return rows


if __name__ == "__main__":
    main()
