"""Labelled replies to choice, number and open questions."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from service.domain.polls import Question, QuestionKind
from tests.unit.reading.reading_helpers import ballot, reading

EXAMPLES = Path(__file__).parents[2] / "data" / "reading_examples.jsonl"
ROWS = [json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines()]


def bound(row: dict[str, Any], name: str) -> Decimal | None:
    return Decimal(str(row[name])) if name in row else None


def test_there_are_enough_of_them() -> None:
    assert len(ROWS) >= 150
    assert {row["kind"] for row in ROWS} == {"choice", "number", "open"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['kind']}-{row['text'][:30]!r}")
def test_an_example_reads_as_it_is_labelled(row: dict[str, Any]) -> None:
    question = Question(
        position=1,
        kind=QuestionKind(row["kind"]),
        text="",
        choices=ballot(*row.get("choices", ())),
        minimum=bound(row, "min"),
        maximum=bound(row, "max"),
        unit=row.get("unit", ""),
    )
    found = reading(row["text"], question)
    assert (found.label.value, found.choice) == (row["label"], row.get("choice"))
    assert found.number == (Decimal(str(row["number"])) if "number" in row else None)
    if "comment" in row:
        assert found.comment == row["comment"]
    if "answer" in row:
        assert found.text == row["answer"]
