"""The reader's score on the development texts: ``python -m tests.score``."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from service.domain.polls import Question, QuestionKind, yes_no_choices
from service.domain.reading import Asked, Expected, Label, read

DATA = Path(__file__).parents[2] / "shared" / "data"
_ASKED = Asked(questions=(Expected(Question(1, QuestionKind.YES_NO, "", yes_no_choices())),))
_AS_IT_IS = {Label.NOT_APPLICABLE, Label.UNSURE, Label.STOP, Label.HELP, Label.START}


def label(text: str) -> str:
    """What the score calls a reading."""
    found = read(text, _ASKED)
    if found.label is Label.ANSWER and found.choice:
        return found.choice
    if found.label is Label.JOIN:
        return "start"
    return found.label.value if found.label in _AS_IT_IS else "other"


def _score(*arguments: str) -> str:
    command = [sys.executable, str(DATA / "score.py"), *arguments]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def report(show: int = 0) -> str:
    """What ``score.py`` prints for this reader; ``show`` misreadings of each kind."""
    items = [json.loads(line) for line in _score("items").splitlines()]
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", encoding="utf-8") as predictions:
        predictions.writelines(f"{item['id']}\t{label(item['text'])}\n" for item in items)
        predictions.flush()
        return _score("score", predictions.name, "--show", str(show))


def figures(printed: str) -> dict[str, tuple[int, int]]:
    """Each line of the report: its title with hits and total."""
    found = re.findall(r"^  (\S.*?) +(\d+)/(\d+) ", printed, re.M)
    return {title: (int(hits), int(total)) for title, hits, total in found}


if __name__ == "__main__":
    if not (DATA / "score.py").exists():
        sys.exit(f"the development texts are not here: {DATA}")
    print(report(show=int(sys.argv[1]) if len(sys.argv) > 1 else 0), end="")
