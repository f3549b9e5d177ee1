"""Polls: what is asked next, and what a poll may become."""

from itertools import pairwise, product

import pytest

from service.domain.polls import (
    TAKING_ANSWERS,
    TRANSITIONS,
    Choice,
    PollState,
    Question,
    QuestionKind,
    condition_holds,
    next_question,
    yes_no_choices,
)

P = PollState
ANSWERS = (None, "yes", "no")
"""Of a question with a ballot: not answered, yes, no."""


def a_vote(position: int = 1, *, when: tuple[str, ...] = ()) -> Question:
    return Question(position, QuestionKind.YES_NO, "Ready?", yes_no_choices(), when)


def a_choice(position: int, *labels: str, when: tuple[str, ...] = ()) -> Question:
    choices = tuple(Choice("ABCDEFGH"[i], label) for i, label in enumerate(labels))
    return Question(position, QuestionKind.CHOICE, "Which?", choices, when)


def an_open(position: int, *, when: tuple[str, ...] = ()) -> Question:
    return Question(position, QuestionKind.OPEN, "How?", when=when)


def asked_next(questions: tuple[Question, ...], chosen: dict[int, str | None]) -> int | None:
    found = next_question(questions, chosen)
    return found.position if found else None


@pytest.mark.parametrize("when", [(), ("yes",), ("no",), ("yes", "no"), ("YES",)])
@pytest.mark.parametrize("vote", ANSWERS)
@pytest.mark.parametrize("follow_up_answered", [False, True])
def test_a_follow_up_is_asked_of_those_it_is_meant_for(
    when: tuple[str, ...], vote: str | None, follow_up_answered: bool
) -> None:
    questions = (a_vote(), an_open(2, when=when))
    chosen: dict[int, str | None] = {}
    if vote:
        chosen[1] = vote
    if follow_up_answered:
        chosen[2] = None
    meant = not when or vote in {label.casefold() for label in when}
    if vote is None:
        assert asked_next(questions, chosen) == 1
    else:
        assert asked_next(questions, chosen) == (2 if meant and not follow_up_answered else None)
    assert condition_holds(questions[1], chosen) == (vote is not None and meant)


@pytest.mark.parametrize(
    ("first", "second", "third"), list(product(ANSWERS, ANSWERS, (False, True)))
)
@pytest.mark.parametrize("second_when", [(), ("yes",)])
@pytest.mark.parametrize("third_when", [(), ("no",), ("costs",)])
def test_two_follow_ups_over_all_combinations(
    first: str | None,
    second: str | None,
    third: bool,
    second_when: tuple[str, ...],
    third_when: tuple[str, ...],
) -> None:
    named = {"yes": "costs", "no": "time"}
    questions = (
        a_vote(),
        a_choice(2, "costs", "time", when=second_when),
        an_open(3, when=third_when),
    )
    chosen: dict[int, str | None] = {}
    if first:
        chosen[1] = first
    if second:
        chosen[2] = named[second]
    if third:
        chosen[3] = None
    given = set(chosen.values())
    expected = None
    if first is None:
        expected = 1
    elif second is None and (not second_when or "yes" in given):
        expected = 2
    elif not third and (not third_when or third_when[0] in given):
        expected = 3
    assert asked_next(questions, chosen) == expected


def test_nothing_but_the_first_question_is_asked_before_it_is_answered() -> None:
    questions = (a_vote(), an_open(2), an_open(3))
    assert asked_next(questions, {}) == 1
    assert asked_next(questions, {2: None}) == 1
    assert not condition_holds(questions[2], {2: None})


def test_a_question_that_was_skipped_does_not_hide_the_one_behind_it() -> None:
    questions = (a_vote(), an_open(2, when=("yes",)), an_open(3))
    assert asked_next(questions, {1: "no"}) == 3


def test_an_open_or_number_answer_never_meets_a_condition() -> None:
    questions = (an_open(1), an_open(2, when=("yes",)))
    assert asked_next(questions, {1: None}) is None


def test_the_case_of_a_label_does_not_matter() -> None:
    assert asked_next((a_vote(), an_open(2, when=("YES",))), {1: "Yes"}) == 2
    choice = a_vote().choice_labelled("YES")
    assert choice is not None
    assert choice.letter == "A"
    assert a_vote().choice_labelled("maybe") is None


def test_a_poll_without_questions_asks_nothing() -> None:
    assert next_question((), {}) is None


def test_only_an_open_question_takes_free_words() -> None:
    assert [Question(1, kind, "?").is_closed for kind in QuestionKind] == [True, True, True, False]


def test_every_state_of_a_poll_has_its_row() -> None:
    assert set(TRANSITIONS) == set(PollState)


def test_a_poll_goes_from_draft_to_published_in_order() -> None:
    life = [P.DRAFT, P.SCHEDULED, P.OPEN, P.CLOSED, P.PUBLISHED]
    assert all(later in TRANSITIONS[state] for state, later in pairwise(life))
    for state, later in product(life, life):
        if life.index(later) > life.index(state) + 1:
            assert later not in TRANSITIONS[state], (state, later)


def test_pausing_stands_beside_open_and_can_be_ended() -> None:
    assert {state for state in P if P.PAUSED in TRANSITIONS[state]} == {P.OPEN}
    assert TRANSITIONS[P.PAUSED] == {P.OPEN, P.CLOSED, P.CANCELLED}
    assert {P.OPEN, P.PAUSED} == TAKING_ANSWERS


def test_what_is_closed_never_opens_again_and_what_is_cancelled_stays_so() -> None:
    reachable = {P.CLOSED}
    for _ in P:
        reachable |= {later for state in reachable for later in TRANSITIONS[state]}
    assert reachable == {P.CLOSED, P.PUBLISHED}
    assert not TRANSITIONS[P.CANCELLED]


def test_anything_not_yet_closed_can_be_cancelled() -> None:
    cancellable = {state for state in P if P.CANCELLED in TRANSITIONS[state]}
    assert cancellable == {P.DRAFT, P.SCHEDULED, P.OPEN, P.PAUSED}


def test_a_later_recode_publishes_again() -> None:
    assert TRANSITIONS[P.PUBLISHED] == {P.PUBLISHED}
