"""Rows of figures, and how they are written and shown."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One line of what is to be reached.

    Attributes:
        value: the median measured; ``None`` where it was not measured.
        reference: what it is held against, in the same unit.
        ratio: value to reference.
        holds: whether the target is met; ``None`` where that cannot be said.
        note: what else was seen, or why nothing was measured.
    """

    name: str
    unit: str
    target: str
    value: float | None = None
    reference: float | None = None
    ratio: float | None = None
    holds: bool | None = None
    note: str = ""


def not_measured(name: str, unit: str, target: str, why: str) -> Row:
    """A row that says honestly that it has no figure."""
    return Row(name, unit, target, note=f"not measured: {why}")


def against(
    name: str, unit: str, least: float, value: float, reference: float, ratio: float, note: str = ""
) -> Row:
    """A row whose ratio must be at least ``least``."""
    return Row(
        name,
        unit,
        f">= {least}",
        round(value, 1),
        round(reference, 1),
        round(ratio, 3),
        ratio >= least,
        note,
    )


def write(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def show(rows: Sequence[Row]) -> None:
    """Print the rows as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "value", "unit", "reference", "ratio", "target", "holds", "note")
    for row in rows:
        holds = {True: "yes", False: "NO", None: "-"}[row.holds]
        figures = ("-" if x is None else f"{x:g}" for x in (row.value, row.reference, row.ratio))
        value, reference, ratio = figures
        table.add_row(row.name, value, row.unit, reference, ratio, row.target, holds, row.note)
    Console(width=170).print(table)
