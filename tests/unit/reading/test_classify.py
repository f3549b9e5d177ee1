"""The command that reads old texts the way the webhook would."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli.app import app
from service.errors import InvalidInputError

HARDEST = "A=Staffing,B=Pay and benefits"


def classify(lines: list[object], *options: str) -> list[dict[str, Any]]:
    typed = "".join(f"{json.dumps(line)}\n" for line in lines)
    result = CliRunner().invoke(app, ["classify", *options], input=typed, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def items(*texts: str) -> list[object]:
    return [{"id": f"t{number}", "text": text} for number, text in enumerate(texts)]


def test_each_line_gives_one_line_in_order() -> None:
    read = classify(items("Yes - we have one", "nope", "STOP", "idk"), "--kind", "yes_no")
    assert [row["id"] for row in read] == ["t0", "t1", "t2", "t3"]
    assert [row["label"] for row in read] == ["answer", "answer", "stop", "unsure"]
    assert read[0] == {
        "id": "t0",
        "label": "answer",
        "choice": "yes",
        "comment": "we have one",
        "rule": "leading yes",
    }
    assert read[3]["choice"] is None
    assert read[3]["comment"] is None


def test_a_choice_question_takes_its_ballot() -> None:
    read = classify(items("b", "staffing"), "--kind", "choice", "--choices", HARDEST)
    assert [row["choice"] for row in read] == ["Pay and benefits", "Staffing"]


def test_a_number_question_adds_the_number() -> None:
    options = ("--kind", "number", "--unit", "days", "--min", "0", "--max", "90")
    read = classify(items("about 12", "2.5 days", "91", "3 weeks"), *options)
    assert [row.get("number") for row in read] == [12, 2.5, None, None]


def test_an_open_question_gives_the_words_as_the_comment() -> None:
    (read,) = classify(items("By a monthly circle"), "--kind", "open")
    assert (read["label"], read["comment"]) == ("answer", "By a monthly circle")


def test_a_join_word_is_known() -> None:
    (read,) = classify(items("stat"), "--kind", "yes_no", "--keyword", "STAT")
    assert read["label"] == "join"


def test_any_identifier_comes_back_and_blank_lines_are_passed_over() -> None:
    typed = '{"id": 7, "text": "yes"}\n\n{"text": "no"}\n'
    result = CliRunner().invoke(app, ["classify", "--kind", "yes_no"], input=typed)
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == [7, None]


@pytest.mark.parametrize("line", ["yes", "[]", '"yes"', '{"id": 1}', "{", "5"])
def test_a_line_that_is_no_item_is_named(line: str) -> None:
    typed = f'{{"id": 1, "text": "yes"}}\n{line}\n'
    result = CliRunner().invoke(app, ["classify", "--kind", "yes_no"], input=typed)
    assert isinstance(result.exception, InvalidInputError)
    assert "line 2" in str(result.exception)


@pytest.mark.parametrize("choices", ["", "A=Staffing", "A=,B=Pay"])
def test_a_choice_question_without_a_ballot_is_refused(choices: str) -> None:
    result = CliRunner().invoke(app, ["classify", "--kind", "choice", "--choices", choices])
    assert result.exit_code == 2


def test_a_reader_that_has_seen_enough_ends_it_quietly(tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"id": 1, "text": "yes"}\n' * 20_000)
    command = [sys.executable, "-m", "service.cli", "classify", "--kind", "yes_no"]
    with (
        texts.open() as typed,
        subprocess.Popen(
            command, stdin=typed, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=30) == 0
