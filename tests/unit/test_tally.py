"""Counting."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.polls import Choice, Question, QuestionKind, yes_no_choices
from service.domain.tally import (
    NOT_APPLICABLE,
    ChoiceCount,
    Funnel,
    NumberSummary,
    QuestionTally,
    Tally,
    conducted_line,
    count_question,
    percent,
    said_line,
    sentence,
)

OPENED = datetime(2021, 3, 30, 16, tzinfo=UTC)
DENVER = "America/Denver"
COUNTS = st.lists(st.integers(0, 5000), min_size=1, max_size=8)


def a_vote(*, with_na: bool = False) -> Question:
    na = (Choice("C", "N/A", applicable=False),) if with_na else ()
    return Question(1, QuestionKind.YES_NO, "Coaching?", (*yes_no_choices(), *na))


def a_choice(*labels: str) -> Question:
    choices = tuple(Choice("ABCDEFGH"[i], label) for i, label in enumerate(labels))
    return Question(1, QuestionKind.CHOICE, "Which?", choices)


def shares(counts: list[int]) -> list[int]:
    return [percent(count, sum(counts)) for count in counts]


def a_tally(question: QuestionTally) -> Tally:
    return Tally(Funnel(0, 0), (question,))


def test_the_seeds_sentence_comes_out_of_the_data() -> None:
    question = count_question(a_vote(with_na=True), {"yes": 390, "no": 477, "N/A": 30}, {})
    assert sentence(a_tally(question), OPENED, DENVER) == (
        '45% said "yes." 55% said "no." '
        "The poll was conducted March 30, 2021, with 867 applicable responses."
    )


@pytest.mark.parametrize(
    ("count", "total", "share"),
    [
        (1, 200, 1),
        (1, 201, 0),
        (1, 8, 13),
        (1, 3, 33),
        (2, 3, 67),
        (0, 7, 0),
        (7, 7, 100),
        (0, 0, 0),
    ],
)
def test_halves_go_up(count: int, total: int, share: int) -> None:
    assert percent(count, total) == share


@pytest.mark.parametrize(
    ("counts", "printed", "total"),
    [
        ([1, 1, 1], [33, 33, 33], 99),
        ([1, 199], [1, 100], 101),
        ([714, 145, 95, 29], [73, 15, 10, 3], 101),
    ],
)
def test_sums_of_99_and_101_are_printed_as_they_are(
    counts: list[int], printed: list[int], total: int
) -> None:
    assert shares(counts) == printed
    assert sum(printed) == total


@given(COUNTS)
def test_each_share_is_within_half_a_per_cent_of_the_truth(counts: list[int]) -> None:
    total = sum(counts)
    for count, share in zip(counts, shares(counts), strict=True):
        assert total == 0 or -total <= 2 * (100 * count - share * total) < total
        assert 0 <= share <= 100


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(1, 10_000))
def test_more_people_never_have_a_smaller_share(one: int, other: int, total: int) -> None:
    if one <= other:
        assert percent(one, total) <= percent(other, total)


def test_the_recorded_roundings_are_met(shared_data: Path) -> None:
    rows = json.loads((shared_data / "vectors" / "rounding.json").read_text("utf-8"))["rows"]
    assert rows
    for row in rows:
        counts = [round(count * 1_000_000) for count in row["counts"]]
        assert shares(counts) == row["plain"], row["name"]
        assert sum(row["plain"]) == row.get("plain_sum", sum(row["plain"])), row["name"]


def test_the_published_splits_can_come_out_of_whole_people(shared_data: Path) -> None:
    polls = json.loads((shared_data / "vectors" / "mgma_published_polls.json").read_text("utf-8"))
    with_people = [poll for poll in polls if poll["n"]]
    assert with_people
    for poll in with_people:
        people = poll["n"]
        options = dict(poll["options"])
        fitting = [
            [count for count in range(people + 1) if percent(count, people) == share]
            for share in options.values()
        ]
        fewest, most = sum(min(f) for f in fitting), sum(max(f) for f in fitting)
        assert (fewest <= people <= most) == poll["plain_rounding_possible"], poll["poll"]
        # Spread the people so that all add up, and count them as the service would.
        counts = [min(f) for f in fitting]
        for index, options_for in enumerate(fitting):
            counts[index] += min(people - sum(counts), max(options_for) - counts[index])
        votes = dict(zip(options, counts, strict=True))
        tally = count_question(a_choice(*options), votes, {})
        assert {line.label: line.percent for line in tally.choices} == options, poll["poll"]
        assert tally.applicable == people


def test_people_for_whom_it_does_not_apply_are_excluded_and_unsure_ones_stay_in() -> None:
    ballot = (*yes_no_choices(), Choice("C", "unsure"), Choice("D", "N/A", applicable=False))
    question = Question(1, QuestionKind.YES_NO, "Apps?", ballot)
    votes = {"yes": 227, "no": 646, "unsure": 335, "N/A": 43}
    tally = count_question(question, votes, {"unclear": 9, "late": 0})
    assert tally.applicable == 1208
    assert tally.excluded == {NOT_APPLICABLE: 43, "unclear": 9}
    assert tally.replied == 1260
    assert [line.label for line in tally.choices] == ["yes", "no", "unsure"]


def test_yes_and_no_stand_in_ballot_order() -> None:
    tally = count_question(a_vote(), {"yes": 1, "no": 9}, {})
    assert [(line.label, line.percent) for line in tally.choices] == [("yes", 10), ("no", 90)]


def test_other_choices_stand_by_share_and_ties_in_ballot_order() -> None:
    tally = count_question(a_choice("a", "b", "c", "d"), {"a": 1, "b": 5, "d": 5}, {})
    assert [line.label for line in tally.choices] == ["b", "d", "a", "c"]
    assert tally.choices[-1] == ChoiceCount("c", 0, 0)


def test_nobody_answered() -> None:
    tally = count_question(a_vote(), {}, {})
    assert (tally.applicable, tally.replied, tally.excluded) == (0, 0, {})
    assert [line.percent for line in tally.choices] == [0, 0]


def test_a_number_question_counts_its_people_and_carries_its_summary() -> None:
    question = Question(1, QuestionKind.NUMBER, "How many?")
    summary = NumberSummary(12, 5.0, 3.0, 8.0)
    tally = count_question(question, {}, {"unclear": 2}, answered=12, number=summary)
    assert (tally.applicable, tally.replied, tally.choices, tally.number) == (12, 14, (), summary)


def test_an_open_question_counts_its_people() -> None:
    tally = count_question(Question(2, QuestionKind.OPEN, "How?"), {}, {}, answered=7)
    assert (tally.applicable, tally.replied) == (7, 7)


@given(
    st.dictionaries(st.sampled_from(["yes", "no", "N/A"]), st.integers(0, 2000)),
    st.dictionaries(st.sampled_from(["unclear", "opted out", "late"]), st.integers(0, 50)),
)
def test_everybody_who_replied_is_counted_once(
    votes: dict[str, int], unanswered: dict[str, int]
) -> None:
    tally = count_question(a_vote(with_na=True), votes, unanswered)
    assert tally.replied == sum(votes.values()) + sum(unanswered.values())
    assert tally.replied == tally.applicable + sum(tally.excluded.values())
    assert tally.applicable == sum(line.count for line in tally.choices)
    assert all(tally.excluded.values())


def test_a_question_whose_people_do_not_add_up_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="question 1: people who replied do not add up"):
        QuestionTally(1, QuestionKind.OPEN, "?", (), applicable=5, replied=7, excluded={"late": 1})


def test_a_funnel_that_does_not_add_up_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="receipts do not add up"):
        Funnel(audience=3, sent=3, by_receipt={"delivered": 2})
    with pytest.raises(ValueError, match="do not add up to the audience"):
        Funnel(audience=4, sent=3, by_receipt={"delivered": 3})


def test_a_funnel_tells_how_many_were_reached() -> None:
    funnel = Funnel(5, 4, {"delivered": 3, "undelivered": 1}, {"on hold": 1})
    assert funnel.delivered == 3
    assert Funnel(2, 0, {}, {"opted out": 2}).delivered == 0


def test_the_date_is_that_of_the_programs_zone() -> None:
    late = datetime(2021, 3, 31, 3, tzinfo=UTC)
    assert "March 30, 2021" in conducted_line(late, DENVER, 2)
    assert "March 31, 2021" in conducted_line(late, "UTC", 2)


def test_one_response_and_thousands_of_responses() -> None:
    assert conducted_line(OPENED, DENVER, 1).endswith("with 1 applicable response.")
    assert conducted_line(OPENED, DENVER, 0).endswith("with 0 applicable responses.")
    assert conducted_line(OPENED, DENVER, 1208).endswith("with 1,208 applicable responses.")


def test_a_line_quotes_the_label_as_the_article_does() -> None:
    assert said_line(ChoiceCount("raise wages", 278, 56)) == '56% said "raise wages."'
