"""Answers to the poll a member was asked: first, changed, added to, late, or unclear."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.answering import expected_questions
from service.domain.consent import SubscriberState
from service.domain.conversation import AskedPoll, Decision, Given, Member, Outcome, apply
from service.domain.deciding import decide
from service.domain.deliveries import Purpose
from service.domain.polls import (
    Choice,
    PollState,
    Question,
    QuestionKind,
    condition_holds,
    yes_no_choices,
)
from service.domain.programs import Program

NOW = datetime(2021, 3, 30, 18, tzinfo=UTC)
PROGRAM = Program(1, "stat", "Acme Stat", "Acme", "leaders", "33550", keywords={"STAT": "stat"})
COUNTED, CHANGED = Purpose.COUNTED, Purpose.CHANGED
FOLLOW_UP, UNCLEAR = Purpose.FOLLOW_UP, Purpose.UNCLEAR


def a_vote(*extra: Choice, when: tuple[str, ...] = (), position: int = 1) -> Question:
    ballot = (*yes_no_choices(), *extra)
    return Question(position, QuestionKind.YES_NO, "Coaching?", ballot, when)


def an_open(position: int = 2, *, when: tuple[str, ...] = ("yes",)) -> Question:
    return Question(position, QuestionKind.OPEN, "Tell us how.", when=when)


def a_choice(position: int, *labels: str, when: tuple[str, ...] = ()) -> Question:
    choices = tuple(Choice("ABCDEFGH"[i], label) for i, label in enumerate(labels))
    return Question(position, QuestionKind.CHOICE, "Which?", choices, when)


def a_number(position: int = 1) -> Question:
    kind = QuestionKind.NUMBER
    return Question(position, kind, "How many?", minimum=Decimal(0), maximum=Decimal(99))


def asked(*questions: Question, state: PollState = PollState.OPEN) -> Member:
    """A member whom the first question has just been texted."""
    poll = AskedPoll(7, state, questions or (a_vote(), an_open()))
    return Member(SubscriberState.ACTIVE, asked=poll, last_asked=1)


def after_close(member: Member, *, link: str = "", results_at: datetime | None = None) -> Member:
    assert member.asked
    closed = replace(member.asked, state=PollState.CLOSED, link=link, results_at=results_at)
    return member._replace(asked=closed)


def hear(member: Member, text: str, now: datetime = NOW) -> tuple[Member, Decision]:
    decision = decide(member, text, PROGRAM, now)
    return apply(member, decision, now), decision


def told(member: Member, *texts: str, now: datetime = NOW) -> Member:
    """The member after these texts."""
    for text in texts:
        member, _ = hear(member, text, now)
    return member


def purpose_of(decision: Decision) -> Purpose | None:
    return decision.say.purpose if decision.say else None


def standing(member: Member) -> dict[int, str]:
    """The answers that stand, by position."""
    return {position: answer.value for position, answer in sorted(member.answers.items())}


def asked_about(decision: Decision) -> int:
    assert decision.say
    assert decision.say.question
    return decision.say.question.position


# First answers.


def test_yes_is_counted_and_the_follow_up_asked() -> None:
    member, decision = hear(asked(), "Yes")
    assert (decision.outcome, decision.question, decision.review) == (Outcome.COUNTED, 1, False)
    assert (purpose_of(decision), asked_about(decision)) == (FOLLOW_UP, 2)
    assert standing(member) == {1: "yes"}
    assert member.answers[1].answered_at == NOW
    assert member.waiting_for == an_open()


def test_no_is_counted_and_thanked_for() -> None:
    member, decision = hear(asked(), "no")
    assert (standing(member), purpose_of(decision)) == ({1: "no"}, COUNTED)
    assert member.waiting_for is None


def test_the_follow_up_takes_the_words_as_they_are() -> None:
    member, decision = hear(told(asked(), "yes"), "By a monthly circle, mostly!")
    assert standing(member) == {1: "yes", 2: "By a monthly circle, mostly!"}
    assert purpose_of(decision) is COUNTED


def test_vote_and_reason_in_one_text_answer_both_questions() -> None:
    member, decision = hear(asked(), "Yes - we have a coach")
    assert standing(member) == {1: "yes", 2: "we have a coach"}
    assert decision.question == 1
    assert purpose_of(decision) is COUNTED


@pytest.mark.parametrize("text", ["Yes, we do", "yes: monthly circle", "Yes!!"])
def test_a_comment_of_fewer_than_three_words_leaves_the_follow_up_open(text: str) -> None:
    assert purpose_of(hear(asked(), text)[1]) is FOLLOW_UP


def test_a_reason_for_a_vote_without_a_follow_up_is_kept_as_its_comment() -> None:
    member, decision = hear(asked(), "No, we are too small")
    assert (standing(member), purpose_of(decision)) == ({1: "no"}, COUNTED)
    assert member.answers[1].comment == "we are too small"


def test_a_reason_never_answers_a_closed_follow_up() -> None:
    poll = asked(a_vote(), a_choice(2, "Coach", "Circle", when=("yes",)))
    member, decision = hear(poll, "Yes, we have a coach")
    assert standing(member) == {1: "yes"}
    assert asked_about(decision) == 2


def test_a_reason_that_answers_the_second_question_brings_the_third() -> None:
    poll = asked(a_vote(), an_open(), a_choice(3, "Costs", "Time"))
    member, decision = hear(poll, "Yes, we have a coach")
    assert standing(member) == {1: "yes", 2: "we have a coach"}
    assert asked_about(decision) == 3
    assert standing(told(member, "b")) == {1: "yes", 2: "we have a coach", 3: "Time"}


def test_what_does_not_apply_counts_only_where_it_stands_on_the_ballot() -> None:
    on_ballot = asked(a_vote(Choice("C", "N/A", applicable=False)))
    assert standing(told(on_ballot, "n/a")) == {1: "N/A"}
    member, decision = hear(asked(), "n/a")
    assert (standing(member), decision.review, purpose_of(decision)) == ({}, True, UNCLEAR)


def test_unsure_counts_only_where_it_stands_on_the_ballot() -> None:
    assert standing(told(asked(a_vote(Choice("C", "unsure"))), "not sure")) == {1: "unsure"}
    assert hear(asked(), "not sure")[1].outcome is Outcome.UNCLEAR


def test_a_valid_answer_ends_the_review() -> None:
    member = told(asked(), "what do you mean")
    assert member.review
    assert not told(member, "yes").review


def test_an_answer_to_a_paused_poll_counts() -> None:
    paused = asked(a_vote(), an_open(), state=PollState.PAUSED)
    assert hear(paused, "no")[1].outcome is Outcome.COUNTED


# The same answer again, and a change of mind.


@pytest.mark.parametrize("first", ["no", "yes"])
def test_the_same_answer_again_changes_nothing_and_is_not_answered(first: str) -> None:
    member = told(asked(), first)
    again, decision = hear(member, first.upper())
    assert (decision.say, decision.answers, decision.outcome) == (None, {}, Outcome.COUNTED)
    assert again.answers == member.answers
    assert again.waiting_for == member.waiting_for


def test_the_same_number_in_another_dress_is_the_same_answer() -> None:
    assert hear(told(asked(a_number()), "5"), "5.0")[1].rule == "same answer again"


def test_yes_to_no_withdraws_the_follow_up_that_waits() -> None:
    member, decision = hear(told(asked(), "yes"), "No")
    assert (standing(member), decision.voided, purpose_of(decision)) == ({1: "no"}, (), CHANGED)
    assert decision.say
    assert decision.say.choice == "no"
    assert member.waiting_for is None


def test_yes_to_no_voids_the_follow_up_that_was_answered() -> None:
    member, decision = hear(told(asked(), "yes", "by a monthly circle"), "no")
    assert (standing(member), decision.voided, purpose_of(decision)) == ({1: "no"}, (2,), CHANGED)


def test_no_to_yes_asks_the_follow_up() -> None:
    member, decision = hear(told(asked(), "no"), "yes")
    assert (standing(member), asked_about(decision)) == ({1: "yes"}, 2)
    assert member.waiting_for == an_open()


def test_there_and_back_again_asks_the_follow_up_anew() -> None:
    member = told(asked(), "yes", "by a monthly circle", "no")
    member, decision = hear(member, "yes")
    assert (standing(member), asked_about(decision)) == ({1: "yes"}, 2)
    assert standing(told(member, "we changed our mind")) == {1: "yes", 2: "we changed our mind"}


def test_a_follow_up_of_both_choices_is_voided_and_asked_anew() -> None:
    poll = asked(a_vote(), an_open(when=("yes", "no")))
    member, decision = hear(told(poll, "yes", "we have a coach"), "no")
    assert (standing(member), decision.voided, asked_about(decision)) == ({1: "no"}, (2,), 2)


def test_a_follow_up_of_everybody_keeps_its_answer() -> None:
    poll = asked(a_vote(), an_open(when=()))
    member, decision = hear(told(poll, "yes", "we have a coach"), "no")
    assert standing(member) == {1: "no", 2: "we have a coach"}
    assert (decision.voided, purpose_of(decision)) == ((), CHANGED)


def test_a_change_of_the_second_answer_keeps_what_hangs_on_the_first() -> None:
    poll = asked(a_vote(), a_choice(2, "Costs", "Time"), an_open(3))
    member, decision = hear(told(poll, "yes", "Costs", "we have a coach"), "Time")
    assert standing(member) == {1: "yes", 2: "Time", 3: "we have a coach"}
    assert decision.voided == ()


def test_a_change_of_the_first_answer_voids_the_whole_chain() -> None:
    poll = asked(a_vote(), a_choice(2, "Costs", "Time", when=("yes",)), an_open(3, when=("Costs",)))
    member, decision = hear(told(poll, "yes", "Costs", "too much by far"), "no")
    assert (standing(member), decision.voided) == ({1: "no"}, (2, 3))


def test_a_vote_on_a_closed_follow_up_is_tried_first() -> None:
    poll = asked(a_vote(), a_vote(position=2))
    assert standing(told(poll, "yes", "no")) == {1: "yes", 2: "no"}


def test_an_answer_to_the_first_question_is_heard_while_a_closed_follow_up_waits() -> None:
    poll = asked(a_vote(), a_choice(2, "Coach", "Circle", when=("yes",)))
    member, decision = hear(told(poll, "yes"), "no")
    assert (standing(member), purpose_of(decision)) == ({1: "no"}, CHANGED)


def test_only_a_whole_message_changes_the_vote_while_an_open_follow_up_waits() -> None:
    member = told(asked(), "yes", "No budget for a coach, we mentor each other")
    assert standing(member) == {1: "yes", 2: "No budget for a coach, we mentor each other"}


def test_a_change_of_a_number_is_acknowledged_with_the_number() -> None:
    decision = hear(told(asked(a_number()), "5"), "0")[1]
    assert decision.say
    assert (decision.say.purpose, decision.say.choice) == (CHANGED, "0")


def test_a_change_of_the_second_vote_asks_anew_what_hangs_on_its_words() -> None:
    poll = asked(a_vote(), a_vote(position=2), an_open(3, when=("yes",)))
    member = told(poll, "yes", "no", "we have a coach")
    assert standing(told(member, "yes")) == {1: "yes", 2: "yes"}


# Additions to an open answer.


@pytest.mark.parametrize(("minutes", "added"), [(0, True), (10, True), (11, False)])
def test_words_within_ten_minutes_of_an_open_answer_are_added_to_it(
    minutes: int, added: bool
) -> None:
    member = told(asked(), "yes", "by a monthly circle")
    member, decision = hear(member, "and a coach", NOW + timedelta(minutes=minutes))
    assert ("\nand a coach" in standing(member)[2]) == added
    assert decision.say is None
    assert decision.review is (None if added else True)


def test_every_addition_opens_ten_minutes_more() -> None:
    member = told(asked(), "yes", "one")
    for minutes in (8, 16, 24):
        member = told(member, f"more {minutes}", now=NOW + timedelta(minutes=minutes))
    assert standing(member)[2] == "one\nmore 8\nmore 16\nmore 24"


def test_words_are_added_to_a_reason_that_came_with_the_vote() -> None:
    member = told(asked(), "Yes - we have a coach", "and a monthly circle")
    assert standing(member) == {1: "yes", 2: "we have a coach\nand a monthly circle"}


def test_thanks_and_votes_are_no_additions() -> None:
    member = told(asked(), "yes", "by a monthly circle")
    assert told(member, "thank you", "yes").answers == member.answers
    assert standing(told(member, "no")) == {1: "no"}


def test_nothing_is_added_while_another_question_waits() -> None:
    poll = asked(a_vote(), an_open(), a_choice(3, "Costs", "Time"))
    member, decision = hear(told(poll, "yes", "by a circle"), "it is complicated")
    assert standing(member)[2] == "by a circle"
    assert (purpose_of(decision), decision.question) == (UNCLEAR, 3)


def test_nothing_is_added_after_the_close() -> None:
    member = after_close(told(asked(), "yes", "by a circle"))
    assert told(member, "and a coach").answers == member.answers


# Unclear texts.


def test_an_unclear_text_is_asked_about_twice_and_then_left_to_staff() -> None:
    member, said = asked(), []
    for text in ("what?", "please explain", "come again", "hm hm hm"):
        member, decision = hear(member, text)
        said.append(purpose_of(decision))
        assert (decision.outcome, decision.review) == (Outcome.UNCLEAR, True)
    assert said == [UNCLEAR, UNCLEAR, None, None]


def test_each_question_has_its_own_two_clarifying_texts() -> None:
    member = told(asked(a_vote(), a_number(2)), "what?", "what?", "what?", "yes")
    assert [purpose_of(hear(member, "many")[1])] == [UNCLEAR]
    assert hear(told(member, "many", "many"), "many")[1].say is None


def test_a_courtesy_while_a_question_waits_is_ignored() -> None:
    decision = hear(asked(), "good morning")[1]
    assert (decision.outcome, decision.say, decision.review) == (Outcome.IGNORED, None, None)


def test_what_may_be_an_opt_out_is_held_and_not_asked_about() -> None:
    member, decision = hear(asked(), "this is spam")
    assert (member.hold, decision.say, decision.outcome) == (True, None, Outcome.UNCLEAR)
    assert told(member, "yes").hold


def test_an_opt_out_is_evidence_and_no_answer() -> None:
    member, decision = hear(told(asked(), "yes"), "No, and please don't text me")
    assert (standing(member), decision.outcome) == ({1: "yes"}, Outcome.OPTED_OUT)
    assert decision.question == 2
    assert member.state is SubscriberState.OPTED_OUT


# After the close.


def test_a_late_answer_is_kept_not_counted_and_answered_once() -> None:
    results_at = NOW + timedelta(days=2)
    member, decision = hear(after_close(asked(), results_at=results_at), "yes")
    assert (decision.outcome, decision.question, decision.answers) == (Outcome.LATE, 1, {})
    assert decision.say
    assert (decision.say.purpose, decision.say.results_at) == (Purpose.CLOSED, results_at)
    again = hear(member, "no")[1]
    assert (again.outcome, again.say) == (Outcome.LATE, None)


def test_a_late_answer_to_a_published_poll_gets_the_link() -> None:
    link = "https://polls.example.org/polls/coaching-2021-03-30"
    decision = hear(after_close(asked(), link=link), "yes")[1]
    assert decision.say
    assert (decision.say.purpose, decision.say.link) == (Purpose.LATE, link)


def test_a_late_answer_to_the_follow_up_is_late_too() -> None:
    decision = hear(after_close(told(asked(), "yes")), "by a monthly circle")[1]
    assert (decision.outcome, decision.question) == (Outcome.LATE, 2)


def test_a_change_of_mind_after_the_close_changes_nothing() -> None:
    member = after_close(told(asked(), "yes"))
    after, decision = hear(member, "no")
    assert (decision.outcome, after.answers) == (Outcome.LATE, member.answers)


def test_votes_stay_when_their_member_stops_and_comes_back() -> None:
    assert standing(told(asked(), "yes", "STOP", "STAT", "hello")) == {1: "yes"}


# What a text may answer.


def test_nobody_who_was_not_asked_can_answer() -> None:
    assert expected_questions(Member(SubscriberState.ACTIVE)) == ()
    decision = hear(Member(SubscriberState.ACTIVE), "yes")[1]
    assert (decision.answers, decision.review) == ({}, True)


def test_the_order_in_which_questions_are_tried() -> None:
    def order(member: Member) -> list[tuple[int, bool]]:
        return [(e.question.position, e.whole_message) for e in expected_questions(member)]

    poll = asked(a_vote(), a_choice(2, "Costs", "Time"), an_open(3))
    assert order(poll) == [(1, False)]
    assert order(told(poll, "yes")) == [(2, False), (1, True)]
    assert order(told(poll, "yes", "Costs")) == [(2, True), (1, True), (3, False)]
    assert order(told(poll, "yes", "Costs", "so it is")) == [(2, True), (1, True)]


WORDS = st.sampled_from(
    [
        "yes",
        "no",
        "Yes - we have a coach",
        "No, we are too small",
        "Costs",
        "b",
        "we do it monthly",
        "thanks",
        "what?",
        "",
        "n/a",
        "7",
        "STAT",
        "this is spam",
    ]
)
POLLS = st.sampled_from(
    [
        asked(),
        asked(a_vote(), an_open(when=("yes", "no"))),
        asked(a_vote(), a_choice(2, "Costs", "Time", when=("yes",)), an_open(3, when=("Costs",))),
        asked(a_vote(), a_vote(position=2), an_open(3)),
        asked(a_number(), an_open(when=())),
    ]
)


@settings(max_examples=300)
@given(POLLS, st.lists(st.tuples(WORDS, st.integers(0, 20)), max_size=10))
def test_answers_that_stand_are_always_ones_their_conditions_call_for(
    member: Member, steps: list[tuple[str, int]]
) -> None:
    now = NOW
    for text, minutes in steps:
        now += timedelta(minutes=minutes)
        before = member
        member, decision = hear(member, text, now)
        assert member.asked
        for position in member.answers:
            assert condition_holds(member.asked.question(position), member.chosen)
        # An answer goes only by being voided, and only a changed vote voids.
        assert before.answers.keys() - member.answers.keys() <= set(decision.voided)
        assert not decision.voided or decision.question < min(decision.voided)
        if purpose_of(decision) is FOLLOW_UP:
            assert asked_about(decision) not in member.answers


def test_an_answer_without_a_choice_is_named_by_its_number() -> None:
    assert Given(number=Decimal(5)).value == "5"
