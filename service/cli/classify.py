"""``classify``: the very reader the webhook runs, on a stream of texts. No database."""

import json
import os
import sys
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, TextIO

import typer

from service.domain.polls import Choice, Question, QuestionKind, yes_no_choices
from service.domain.reading import Asked, Expected, Reading, read
from service.errors import InvalidInputError

_REMEMBERED_CHARACTERS = 60
"""Short replies come again and again; long ones are read anew and not kept."""


def classify(
    kind: Annotated[QuestionKind, typer.Option(help="What kind of question is asked.")],
    choices: Annotated[
        str, typer.Option(metavar="A=…,B=…", help="The ballot of a choice or yes/no question.")
    ] = "",
    keyword: Annotated[list[str] | None, typer.Option(help="Join word.")] = None,
    brand: Annotated[str, typer.Option(help="The program's brand.")] = "",
    unit: Annotated[str, typer.Option(help="Unit of a number question.")] = "",
    minimum: Annotated[float | None, typer.Option("--min", help="Smallest number taken.")] = None,
    maximum: Annotated[float | None, typer.Option("--max", help="Largest number taken.")] = None,
) -> None:
    """Read `{"id","text"}` a line, write `{"id","label","choice","comment","rule"}` a line.

    A number question adds `number`; an open one gives its words as `comment`.

    Example: `pollwire classify --kind yes_no < replies.jsonl`
    """
    question = Question(
        position=1,
        kind=kind,
        text="",
        choices=_ballot(kind, choices),
        minimum=None if minimum is None else Decimal(str(minimum)),
        maximum=None if maximum is None else Decimal(str(maximum)),
        unit=unit,
    )
    asked = Asked(
        brand=brand,
        keywords=frozenset(word.upper() for word in keyword or ()),
        questions=(Expected(question),),
    )
    try:
        _stream(asked, sys.stdin, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has seen enough. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stream(asked: Asked, lines: Iterable[str], out: TextIO) -> None:
    @lru_cache(maxsize=8192)
    def remembered(text: str) -> str:
        return _fields(read(text, asked))

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        identifier, text = _item(line, number)
        short = len(text) <= _REMEMBERED_CHARACTERS
        fields = remembered(text) if short else _fields(read(text, asked))
        out.write(f'{{"id": {json.dumps(identifier, ensure_ascii=False)}, {fields}}}\n')


def _item(line: str, number: int) -> tuple[object, str]:
    try:
        item = json.loads(line)
        return item.get("id"), str(item["text"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidInputError(f'line {number}: expected {{"id": …, "text": …}}') from None


def _fields(reading: Reading) -> str:
    """All fields but the id, as the inside of a JSON object."""
    result: dict[str, object] = {
        "label": reading.label.value,
        "choice": reading.choice,
        "comment": reading.text or reading.comment or None,
        "rule": reading.rule,
    }
    if reading.number is not None:
        whole = reading.number == reading.number.to_integral_value()
        result["number"] = int(reading.number) if whole else float(reading.number)
    return json.dumps(result, ensure_ascii=False)[1:-1]


def _ballot(kind: QuestionKind, typed: str) -> tuple[Choice, ...]:
    if kind in (QuestionKind.NUMBER, QuestionKind.OPEN):
        return ()
    pairs = [part.partition("=") for part in typed.split(",") if part.strip()]
    if kind is QuestionKind.YES_NO and not pairs:
        return yes_no_choices()
    if len(pairs) < 2 or not all(label.strip() for _, _, label in pairs):
        raise typer.BadParameter(
            "a choice question needs such as A=Staffing,B=Pay", param_hint="--choices"
        )
    ballot = tuple(Choice(letter.strip().upper(), label.strip()) for letter, _, label in pairs)
    if kind is QuestionKind.YES_NO and [c.label.casefold() for c in ballot[:2]] != ["yes", "no"]:
        raise typer.BadParameter("a yes/no ballot starts A=yes,B=no", param_hint="--choices")
    return ballot
