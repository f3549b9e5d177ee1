"""Reading texts, on one core, without a database: what ``pollwire classify`` runs."""

import time
from statistics import median

from benchmarks.report import Row
from benchmarks.rig import Rig
from service.domain.polls import Question, QuestionKind, yes_no_choices
from service.domain.reading import Asked, Expected, read

_LEAST_RATE = 10_000
_TEXTS = (
    *("Yes", "no", "Y", "N", "YES!", "No.", "yes please", "Nope", "yep", "Yes, we do"),
    "Yes. We have an internal program for all physician leaders, run by our HR department.",
    "No, but we are looking into it for next year",
    "we don't have the budget for this",
    *("STOP", "Stop texting me please", "unsubscribe", "HELP", "STAT", "thanks!", "👍", "?"),
    "Liked “Acme Stat: Does your organization provide coaching? Reply YES or NO.”",
    "I'm driving right now and will get back to you later. (auto-reply)",
    "Sí",
    "not sure",
    "n/a",
)


async def measure(rig: Rig) -> list[Row]:
    """Texts a second, a mixture of short answers, comments and commands, each one new."""
    question = Question(1, QuestionKind.YES_NO, "", yes_no_choices())
    asked = Asked(brand="Acme Stat", keywords=frozenset({"STAT"}), questions=(Expected(question),))
    count = int(rig.pick(20_000, 100_000))
    rates = []
    for _ in range(rig.rounds):
        texts = [f"{_TEXTS[index % len(_TEXTS)]}{' ' * (index % 3)}" for index in range(count)]
        began = time.perf_counter()
        for text in texts:
            read(text, asked)
        rates.append(count / (time.perf_counter() - began))
    rate = median(rates)
    return [
        Row(
            "classify, one core",
            "texts/s",
            f">= {_LEAST_RATE}",
            round(rate),
            _LEAST_RATE,
            round(rate / _LEAST_RATE, 2),
            rate >= _LEAST_RATE,
        )
    ]
