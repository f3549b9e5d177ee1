"""A published result, put the way the pages show it. Only wording and shape: nothing is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from service.domain.polls import QuestionKind
from service.domain.programs import Program
from service.store.publications import PublishedPoll
from service.web.templating import number

SMALLEST_GROUP = 5
"""People who were asked more because of their first answer are not split out below this."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One choice of a result.

    Attributes:
        width: exact share for drawing; ``percent`` is the published one.
        leads: no other choice has more people.
    """

    label: str
    people: int
    percent: int
    width: str
    leads: bool


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One question with its figures; those that its kind lacks are empty.

    Attributes:
        asked_after: the answers that called for this question.
        shown: false where so few answered that their answers could be guessed.
        sum_of_percents: what the shares add up to, where that is not 100.
    """

    text: str
    kind: QuestionKind
    people: int
    bars: Sequence[Bar]
    number: Mapping[str, Any] | None
    unit: str
    asked_after: Sequence[str]
    shown: bool
    sum_of_percents: int | None

    @property
    def leader(self) -> Bar | None:
        """The choice with the most people; of equals the first."""
        return next((bar for bar in self.bars if bar.leads), None)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the published arithmetic.

    Attributes:
        part: whether it explains the whole above it rather than being one itself.
        subtracts: whether its people are taken away on the way to the next whole.
    """

    text: str
    people: int
    part: bool = False
    subtracts: bool = False


@dataclass(frozen=True, slots=True)
class PollView:
    """A poll's page, and its line in lists.

    Attributes:
        headline: the result in a few words, such as ``55% no``.
        summary: the result as sentences.
        corrected_on: day of this version, where it is not the first.
    """

    slug: str
    title: str
    brand: str
    respondents: str
    program_id: int
    conducted: str
    conducted_on: date
    closed_on: date
    corrected_on: date | None
    first: QuestionView
    follow_ups: Sequence[QuestionView]
    arithmetic: Sequence[Line]
    headline: str
    summary: str


def view(poll: PublishedPoll, program: Program) -> PollView:
    """The page of one published version."""
    found = poll.results
    first, *others = (_question(question) for question in found["questions"])
    zone = ZoneInfo(program.timezone)
    return PollView(
        slug=poll.slug,
        title=found["title"],
        brand=found["brand"],
        respondents=found["respondents"],
        program_id=poll.program_id,
        conducted=found["conducted"],
        conducted_on=date.fromisoformat(found["conducted_on"]),
        closed_on=date.fromisoformat(found["closed_on"]),
        corrected_on=poll.published_at.astimezone(zone).date() if poll.version > 1 else None,
        first=first,
        follow_ups=others,
        arithmetic=_arithmetic(found),
        headline=_headline(first),
        summary=found["sentence"] or found["conducted"],
    )


def _question(found: Mapping[str, Any]) -> QuestionView:
    people = found["applicable"]
    kind = QuestionKind(found["kind"])
    most = max((line["count"] for line in found["choices"]), default=0)
    percents = sum(line["percent"] for line in found["choices"])
    return QuestionView(
        text=found["text"],
        kind=kind,
        people=people,
        bars=[_bar(line, people, most, kind) for line in found["choices"]],
        number=found.get("number"),
        unit=found["unit"],
        asked_after=found["when"],
        shown=found["position"] == 1 or people >= SMALLEST_GROUP,
        sum_of_percents=percents if found["choices"] and people and percents != 100 else None,
    )


def _bar(line: Mapping[str, Any], people: int, most: int, kind: QuestionKind) -> Bar:
    label, count = line["label"], line["count"]
    return Bar(
        label=label[:1].upper() + label[1:] if kind is QuestionKind.YES_NO else label,
        people=count,
        percent=line["percent"],
        width=f"{100 * count / people if people else 0:.1f}",
        leads=0 < count == most,
    )


def _headline(first: QuestionView) -> str:
    if first.leader:
        label = first.leader.label
        name = label.lower() if first.kind is QuestionKind.YES_NO else label
        return f"{first.leader.percent}% {name}"
    if first.number:
        return f"median {number(first.number['median'])} {first.unit}".strip()
    return f"{first.people:,} {'answer' if first.people == 1 else 'answers'}"


def _arithmetic(found: Mapping[str, Any]) -> list[Line]:
    """From the people chosen to the responses counted: every person stands in it once a step."""
    return [
        Line("Members this poll was for", found["audience"]),
        *(_parts(found["not_sent"], "not sent: ", subtracts=True)),
        Line("Texts sent", found["sent"]),
        *(_parts(found["by_receipt"], "of these ", subtracts=False)),
        Line("Members who replied", found["replied"]),
        *(_parts(found["excluded"], "left out: ", subtracts=True)),
        Line("Applicable responses", found["applicable"]),
    ]


def _parts(people: Mapping[str, int], before: str, *, subtracts: bool) -> list[Line]:
    by_size = sorted(people.items(), key=lambda item: (-item[1], item[0]))
    return [Line(before + reason, count, True, subtracts) for reason, count in by_size]
