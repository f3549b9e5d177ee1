"""How often a number may be texted, and how many texts a month a plan comes to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.domain.conversation import MOST_TEXTS_AN_HOUR
from service.domain.polls import Question, next_question

HOUR, DAY, MONTH = timedelta(hours=1), timedelta(hours=24), timedelta(days=30)
MOST_UNASKED_A_DAY = 3
WEEKS_A_MONTH = 5
"""Thirty days hold five of a weekday."""
LEAST_MONTHLY_TEXTS = 2 * WEEKS_A_MONTH
"""A question a week and its acknowledgement: no program has less to state."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Texts handed over to a number before, those that answered its own among them.

    Attributes:
        month: in this program in the past 30 days.
        unasked: times of those that nobody had asked for, over all programs, for a day at least.
        automatic: times of all, over all programs, for an hour at least.
    """

    month: int = 0
    unasked: tuple[datetime, ...] = ()
    automatic: tuple[datetime, ...] = ()

    def plus(self, texts: int, now: datetime) -> "Sent":
        """The same after ``texts`` more that nobody had asked for."""
        more = (now,) * texts
        return replace(
            self,
            month=self.month + texts,
            unasked=self.unasked + more,
            automatic=self.automatic + more,
        )

    def limit(self, now: datetime) -> tuple[datetime, str]:
        """When the next text that nobody asked for may leave, and why not now."""
        waits = (
            (_free_at(self.unasked, MOST_UNASKED_A_DAY, DAY, now), "3 texts in 24 hours"),
            (_free_at(self.automatic, MOST_TEXTS_AN_HOUR, HOUR, now), "10 texts in an hour"),
        )
        free_at, reason = max(waits)
        return (free_at, reason) if free_at > now else (now, "")

    def note(self, stated: int, now: datetime) -> str:
        """The counts with one more text, such as ``month 4/15; day 1/3; hour 1/10``."""
        day, hour = len(_within(self.unasked, DAY, now)), len(_within(self.automatic, HOUR, now))
        return (
            f"month {self.month + 1}/{stated}; day {day + 1}/{MOST_UNASKED_A_DAY}; "
            f"hour {hour + 1}/{MOST_TEXTS_AN_HOUR}"
        )


def _within(times: Iterable[datetime], span: timedelta, now: datetime) -> list[datetime]:
    return sorted(instant for instant in times if instant > now - span)


def _free_at(times: Iterable[datetime], most: int, span: timedelta, now: datetime) -> datetime:
    """The first instant with fewer than ``most`` in the ``span`` before it."""
    recent = _within(times, span, now)
    return recent[-most] + span if len(recent) >= most else now


def texts_a_poll(
    questions: tuple[Question, ...], *, reminder: bool = False, results: bool = False
) -> int:
    """The most texts one poll sends to a member who answers each question once.

    The first question, the follow-ups of the longest way through the ballot, the
    acknowledgement, and what else is planned.
    """
    return _asked(questions, {}) + 1 + reminder + results


def _asked(questions: tuple[Question, ...], chosen: Mapping[int, str | None]) -> int:
    question = next_question(questions, chosen)
    if question is None:
        return 0
    labels: list[str | None] = [choice.label for choice in question.choices] or [None]
    return 1 + max(_asked(questions, {**chosen, question.position: label}) for label in labels)


def texts_a_month(texts_a_week: int) -> int:
    """The number a program must state, at least, for a weekly poll of so many texts.

    >>> texts_a_month(texts_a_week=3)
    15
    """
    return texts_a_week * WEEKS_A_MONTH
