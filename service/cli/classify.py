"""``classify``: the very reader the webhook runs, on a stream of texts. No database."""

import json
import sys
from typing import Annotated

import typer

from service.domain.polls import Choice, Question, QuestionKind, yes_no_choices
from service.domain.reading import Asked, Expected, read
from service.errors import InvalidInputError


def classify(
    kind: Annotated[QuestionKind, typer.Option(help="What kind of question is asked.")],
    choices: Annotated[
        str, typer.Option(metavar="A=…,B=…", help="The ballot of a choice question.")
    ] = "",
    keyword: Annotated[list[str] | None, typer.Option(help="Join word.")] = None,
    brand: Annotated[str, typer.Option(help="The program's brand.")] = "",
) -> None:
    """Read `{"id","text"}` a line, write `{"id","label","choice","comment","rule"}` a line.

    Example: `pollwire classify --kind yes_no < replies.jsonl`
    """
    question = Question(1, kind, "", _ballot(kind, choices))
    asked = Asked(
        brand=brand,
        keywords=frozenset(word.upper() for word in keyword or ()),
        questions=(Expected(question),),
    )
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            text = str(item["text"])
        except (ValueError, KeyError, TypeError):
            raise InvalidInputError(f'line {number}: expected {{"id": …, "text": …}}') from None
        reading = read(text, asked)
        result = {
            "id": item.get("id"),
            "label": reading.label.value,
            "choice": reading.choice,
            "comment": reading.comment or None,
            "rule": reading.rule,
        }
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def _ballot(kind: QuestionKind, typed: str) -> tuple[Choice, ...]:
    if kind is QuestionKind.YES_NO:
        return yes_no_choices()
    if kind is not QuestionKind.CHOICE:
        return ()
    pairs = [part.partition("=") for part in typed.split(",") if part.strip()]
    if len(pairs) < 2 or not all(label.strip() for _, _, label in pairs):
        raise typer.BadParameter(
            "a choice question needs such as A=Staffing,B=Pay", param_hint="--choices"
        )
    return tuple(Choice(letter.strip().upper(), label.strip()) for letter, _, label in pairs)
