"""The examples of docs/reading.md are run."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "reading.md"


def test_the_examples_of_the_page_say_what_the_reader_does() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert tried > 10
    assert failed == 0
