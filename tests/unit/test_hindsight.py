"""A text taken in late: read as its own moment would have, and undoing nothing decided since."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.consent import ConsentEventKind, OptOutMode, SubscriberState
from service.domain.conversation import AskedPoll, Given, Member
from service.domain.deliveries import Purpose
from service.domain.hindsight import Past, apply_late, decide_late, state_after
from service.domain.polls import PollState, Question, QuestionKind, yes_no_choices
from service.domain.programs import Program

AT = datetime(2021, 3, 30, 18, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ACTIVE, OPTED_OUT = SubscriberState.ACTIVE, SubscriberState.OPTED_OUT
PENDING, SUSPENDED = SubscriberState.PENDING, SubscriberState.SUSPENDED
PROGRAM = Program(1, "stat", "Acme Stat", "Acme", "leaders", "33550", keywords={"STAT": "weekly"})
VOTE = Question(1, QuestionKind.YES_NO, "Coaching?", yes_no_choices(), identifier=11)
HOW = Question(2, QuestionKind.OPEN, "How?", when=("yes",), identifier=12)
POLL = AskedPoll(7, PollState.OPEN, (VOTE, HOW))


def a_member(state: SubscriberState | None = ACTIVE, **details: object) -> Member:
    return Member(state, asked=POLL, last_asked=1)._replace(**details)


def a_past(state: SubscriberState | None = ACTIVE, **details: object) -> Past:
    return replace(Past(AT, state), **details)


def answered(choice: str, after: timedelta) -> dict[int, Given]:
    return {1: Given(choice, answered_at=AT + after)}


def test_without_a_later_decision_it_is_read_as_ever() -> None:
    decision = decide_late(a_member(), a_past(), "no", PROGRAM)
    assert decision.answers[1].choice == "no"
    assert decision.answers[1].answered_at == AT
    assert decision.say is not None


@pytest.mark.parametrize("after", [MINUTE, -MINUTE])
def test_the_newer_of_two_answers_stands(after: timedelta) -> None:
    member = a_member(answers=answered("yes", after))
    decision = decide_late(member, a_past(later_texts=after > timedelta()), "no", PROGRAM)
    stands = apply_late(member, decision, a_past()).answers[1].choice
    assert stands == ("yes" if after > timedelta() else "no")


def test_a_reason_does_not_stand_where_the_newer_choice_forbids_it() -> None:
    past = a_past(later_texts=True)
    member = a_member(answers=answered("no", MINUTE))
    assert decide_late(member, past, "Yes - we have a coach", PROGRAM).answers == {}
    member = a_member(answers=answered("yes", MINUTE))
    decision = decide_late(member, past, "Yes - we have a coach", PROGRAM)
    assert [(position, given.text) for position, given in decision.answers.items()] == [
        (2, "we have a coach")
    ]
    assert decision.say is None


def test_an_answer_before_the_close_counts_and_asks_nothing_more() -> None:
    closed = replace(POLL, state=PollState.CLOSED)
    past = a_past(poll_closed_at=AT + MINUTE)
    decision = decide_late(a_member(asked=closed), past, "yes", PROGRAM)
    assert decision.answers[1].choice == "yes"
    assert decision.say is not None
    assert decision.say.purpose is Purpose.COUNTED
    after = a_past(poll_closed_at=AT - MINUTE)
    assert decide_late(a_member(asked=closed), after, "yes", PROGRAM).answers == {}
    unclear = decide_late(a_member(asked=closed), past, "purple", PROGRAM)
    assert (unclear.say, unclear.review) == (None, True)


@pytest.mark.parametrize(
    ("now", "then", "since", "joins"),
    [
        (None, None, {}, True),
        (PENDING, None, {"changed_since": True}, True),
        (OPTED_OUT, None, {"changed_since": True, "stopped_since": True}, False),
        (OPTED_OUT, OPTED_OUT, {"stopped_since": True}, False),
        (OPTED_OUT, OPTED_OUT, {}, True),
        (ACTIVE, OPTED_OUT, {"changed_since": True, "stopped_since": True}, False),
        (SUSPENDED, None, {"changed_since": True}, False),
    ],
)
def test_an_older_join_undoes_no_later_leaving(
    now: SubscriberState | None,
    then: SubscriberState | None,
    since: dict[str, bool],
    joins: bool,
) -> None:
    member, past = Member(now), a_past(then, **since)
    decision = decide_late(member, past, "STAT", PROGRAM)
    assert (decision.consent is not None) is joins
    assert apply_late(member, decision, past).state is (ACTIVE if joins else now)


def test_start_from_a_stranger_who_has_joined_since_makes_nobody_wait() -> None:
    member, past = Member(ACTIVE), a_past(None, changed_since=True, later_texts=True)
    decision = decide_late(member, past, "START", PROGRAM)
    assert (decision.consent, decision.say) == (None, None)


def test_a_stop_holds_unless_the_handset_came_back() -> None:
    member = a_member(review=True)
    decision = decide_late(member, a_past(later_texts=True), "stop", PROGRAM)
    assert apply_late(member, decision, a_past(later_texts=True)).state is OPTED_OUT
    back = a_past(later_texts=True, joined_since=True)
    decision = decide_late(member, back, "stop", PROGRAM)
    assert decision.consent is not None
    assert decision.consent.everywhere
    assert decision.say is None
    assert apply_late(member, decision, back) == member


def test_what_waits_since_is_left_to_staff() -> None:
    member, past = a_member(review=True), a_past(later_texts=True)
    after = apply_late(member, decide_late(member, past, "no", PROGRAM), past)
    assert after.review


def test_words_that_later_texts_have_settled_are_not_said() -> None:
    past = a_past(None, changed_since=True, later_texts=True)
    decision = decide_late(Member(ACTIVE), past, "hello", PROGRAM)
    assert (decision.say, decision.review) == (None, None)


def test_a_newer_polls_question_is_not_pushed_aside() -> None:
    decision = decide_late(a_member(), a_past(asked_since=True), "yes", PROGRAM)
    assert decision.say is not None
    assert decision.say.purpose is Purpose.COUNTED


@pytest.mark.parametrize("mode", [OptOutMode.TWILIO_DEFAULT, OptOutMode.ADVANCED])
@pytest.mark.parametrize("word", ["STOP", "cancel", "START", "Help"])
def test_what_twilio_answers_is_not_answered_again(mode: OptOutMode, word: str) -> None:
    program = replace(PROGRAM, opt_out_mode=mode)
    for state in (ACTIVE, OPTED_OUT):
        assert decide_late(a_member(state), a_past(state), word, program).say is None
    assert decide_late(a_member(), a_past(), "please stop texting me", program).say is not None


def test_evidence_tells_the_state_it_led_to() -> None:
    assert state_after(None, None) is None
    assert state_after(ConsentEventKind.OPT_IN, "weekly") is ACTIVE
    assert state_after(ConsentEventKind.CONFIRMATION, None) is ACTIVE
    assert state_after(ConsentEventKind.SUSPENSION, None) is SUSPENDED
    assert state_after(ConsentEventKind.OPT_OUT, None) is OPTED_OUT


STATES = st.sampled_from([None, *SubscriberState])
PASTS = st.builds(
    Past,
    at=st.just(AT),
    state=STATES,
    poll_closed_at=st.none() | st.just(AT + MINUTE),
    asked_since=st.booleans(),
    later_texts=st.booleans(),
    stopped_since=st.booleans(),
    joined_since=st.booleans(),
    changed_since=st.booleans(),
)
MEMBERS = st.builds(
    a_member,
    STATES,
    answers=st.just({}) | st.just(answered("yes", MINUTE)) | st.just(answered("no", -MINUTE)),
    review=st.booleans(),
)
WORDS = st.sampled_from(["STOP", "STAT", "START", "yes", "no", "purple", "help", ""]) | st.text()


@given(MEMBERS, PASTS, WORDS)
def test_nothing_decided_since_is_undone(member: Member, past: Past, text: str) -> None:
    decision = decide_late(member, past, text, PROGRAM)
    after = apply_late(member, decision, past)
    for position, newer in member.answers.items():
        if newer.answered_at is not None and newer.answered_at > past.until:
            assert after.answers[position] == newer
    is_stop = decision.consent is not None and decision.consent.everywhere
    if past.stopped_since:
        assert after.state is (OPTED_OUT if is_stop and not past.joined_since else member.state)
    if past.joined_since and is_stop:
        assert after.state is member.state
