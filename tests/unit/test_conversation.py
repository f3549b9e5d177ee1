"""What one text changes: the state a decision leads to, and the limits on what is said."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from service.domain.consent import ConsentChange, ConsentEventKind, SubscriberState
from service.domain.conversation import (
    MOST_TEXTS_AN_HOUR,
    ONCE_A_DAY,
    AskedPoll,
    Decision,
    Given,
    Member,
    SaidBefore,
    apply,
    said_within,
    within_limits,
)
from service.domain.deliveries import Purpose
from service.domain.polls import PollState, Question, QuestionKind, yes_no_choices
from service.domain.wording import Saying

NOW = datetime(2021, 3, 30, 18, tzinfo=UTC)
ACTIVE, OPTED_OUT = SubscriberState.ACTIVE, SubscriberState.OPTED_OUT
VOTE = Question(1, QuestionKind.YES_NO, "Coaching?", yes_no_choices())
HOW = Question(2, QuestionKind.OPEN, "How?", when=("yes",))


def a_member(**details: object) -> Member:
    """A member of an open poll whose first question was texted."""
    poll = AskedPoll(7, PollState.OPEN, (VOTE, HOW))
    return Member(ACTIVE, asked=poll, last_asked=1)._replace(**details)


def a_decision(**details: object) -> Decision:
    return Decision("a rule", "answer")._replace(**details)


def test_a_decision_that_changes_nothing_changes_nothing() -> None:
    assert apply(a_member(), a_decision(), NOW) == a_member()


def test_answers_replace_add_and_go() -> None:
    member = a_member(answers={1: Given("yes"), 2: Given(text="a circle")})
    after = apply(member, a_decision(answers={1: Given("no")}, voided=(2,)), NOW)
    assert after.answers == {1: Given("no")}
    assert set(member.answers) == {1, 2}


def test_an_answer_voided_and_given_anew_in_one_text_stands() -> None:
    member = a_member(answers={1: Given("no"), 2: Given(text="old")})
    decision = a_decision(answers={1: Given("yes"), 2: Given(text="new")}, voided=(2,))
    assert apply(member, decision, NOW).answers[2] == Given(text="new")


def test_a_follow_up_moves_the_question_that_waits() -> None:
    decision = a_decision(answers={1: Given("yes")}, say=Saying(Purpose.FOLLOW_UP, question=HOW))
    after = apply(a_member(), decision, NOW)
    assert (after.last_asked, after.waiting_for) == (2, HOW)


def test_what_is_said_is_remembered() -> None:
    after = apply(a_member(), a_decision(say=Saying(Purpose.HELP)), NOW)
    assert after.said == SaidBefore(last={Purpose.HELP: NOW}, within_hour=1)


def test_clarifying_texts_are_counted_by_question() -> None:
    unclear = a_decision(say=Saying(Purpose.UNCLEAR, question=VOTE))
    after = apply(apply(a_member(), unclear, NOW), unclear, NOW)
    assert after.said.clarifying == {1: 2}
    assert after.last_asked == 1


@pytest.mark.parametrize("purpose", [Purpose.LATE, Purpose.CLOSED])
def test_being_told_of_the_close_is_remembered(purpose: Purpose) -> None:
    after = apply(a_member(), a_decision(say=Saying(purpose)), NOW)
    assert after.said.told_closed
    assert apply(after, a_decision(say=Saying(Purpose.HELP)), NOW).said.told_closed


def test_a_hold_stays_until_consent_is_settled() -> None:
    held = apply(a_member(), a_decision(hold=True), NOW)
    assert held.hold
    assert apply(held, a_decision(), NOW).hold
    change = ConsentChange(ConsentEventKind.OPT_OUT, OPTED_OUT, everywhere=True)
    assert apply(held, a_decision(consent=change), NOW).standing == (OPTED_OUT, False, False)


def test_a_review_begins_stays_and_ends_as_decided() -> None:
    reviewed = apply(a_member(), a_decision(review=True), NOW)
    assert reviewed.review
    assert apply(reviewed, a_decision(review=None), NOW).review
    assert not apply(reviewed, a_decision(review=False), NOW).review


def test_an_opt_out_elsewhere_leaves_nothing_waiting_for_staff() -> None:
    member = a_member(hold=True, review=True, answers={1: Given("yes")})
    assert member.opted_out().standing == (OPTED_OUT, False, False)
    assert member.opted_out().answers == member.answers


def test_nothing_waits_where_nothing_was_asked_or_all_is_answered() -> None:
    assert Member(ACTIVE).waiting_for is None
    assert a_member(last_asked=0).waiting_for is None
    assert a_member().waiting_for == VOTE
    assert a_member(answers={1: Given("no")}).waiting_for is None


def test_a_follow_up_whose_condition_fails_no_longer_waits() -> None:
    assert a_member(last_asked=2, answers={1: Given("yes")}).waiting_for == HOW
    assert a_member(last_asked=2, answers={1: Given("no")}).waiting_for is None


@pytest.mark.parametrize("state", PollState)
def test_a_question_waits_only_while_its_poll_takes_answers(state: PollState) -> None:
    member = a_member(asked=AskedPoll(7, state, (VOTE, HOW)))
    waits = state in (PollState.OPEN, PollState.PAUSED)
    assert (member.waiting_for is VOTE) == waits
    assert member.unanswered is VOTE


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Given("yes"), Given("yes", comment="we do"), True),
        (Given("yes", answered_at=NOW), Given("yes"), True),
        (Given("yes"), Given("no"), False),
        (Given(number=Decimal(5)), Given(number=Decimal("5.00")), True),
        (Given(text="a"), Given(text="b"), False),
    ],
)
def test_answers_are_the_same_by_what_is_counted(one: Given, other: Given, same: bool) -> None:
    assert one.says_the_same(other) == same


@pytest.mark.parametrize(
    ("ago", "within"),
    [(timedelta(0), True), (timedelta(hours=23, minutes=59), True), (timedelta(hours=24), False)],
)
def test_a_day_is_over_after_24_hours(ago: timedelta, within: bool) -> None:
    member = a_member(said=SaidBefore(last={Purpose.UNKNOWN: NOW - ago}))
    assert said_within(member, Purpose.UNKNOWN, ONCE_A_DAY, NOW) == within
    assert not said_within(member, Purpose.ALREADY_IN, ONCE_A_DAY, NOW)


@pytest.mark.parametrize("purpose", Purpose)
def test_after_ten_texts_in_an_hour_only_an_opt_out_is_confirmed(purpose: Purpose) -> None:
    decision = a_decision(say=Saying(purpose), answers={1: Given("yes")}, review=False)
    below = a_member(said=SaidBefore(within_hour=MOST_TEXTS_AN_HOUR - 1))
    at_limit = a_member(said=SaidBefore(within_hour=MOST_TEXTS_AN_HOUR))
    assert within_limits(below, decision, NOW) == decision
    if purpose is Purpose.STOPPED:
        assert within_limits(at_limit, decision, NOW) == decision
    else:
        silenced = within_limits(at_limit, decision, NOW)
        assert silenced == decision._replace(say=None, review=True)


def test_a_decision_without_a_text_knows_no_limit() -> None:
    at_limit = a_member(said=SaidBefore(within_hour=99))
    assert within_limits(at_limit, a_decision(), NOW) == a_decision()
