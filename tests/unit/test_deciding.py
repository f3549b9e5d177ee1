"""The decision on one text: joining, leaving, and who is answered at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.consent import ConsentChange, ConsentEventKind, OptOutMode, SubscriberState
from service.domain.conversation import (
    MOST_TEXTS_AN_HOUR,
    AskedPoll,
    Decision,
    Given,
    Member,
    Outcome,
    SaidBefore,
    apply,
)
from service.domain.deciding import decide, decide_without_program
from service.domain.deliveries import Purpose
from service.domain.polls import PollState, Question, QuestionKind, yes_no_choices
from service.domain.programs import Program
from service.domain.wording import render

NOW = datetime(2021, 3, 30, 18, tzinfo=UTC)
ACTIVE, PENDING = SubscriberState.ACTIVE, SubscriberState.PENDING
OPTED_OUT, SUSPENDED = SubscriberState.OPTED_OUT, SubscriberState.SUSPENDED
STATES = [None, PENDING, ACTIVE, OPTED_OUT, SUSPENDED]
PROGRAM = Program(
    1,
    "stat",
    "Acme Stat",
    "Acme",
    "leaders",
    "33550",
    keywords={"STAT": "stat", "TOP10": "conference"},
    help_contact="800-555-0100",
)
BY_TWILIO = replace(PROGRAM, opt_out_mode=OptOutMode.TWILIO_DEFAULT)
ADVANCED = replace(PROGRAM, opt_out_mode=OptOutMode.ADVANCED)
QUESTIONS = (
    Question(1, QuestionKind.YES_NO, "Coaching?", yes_no_choices()),
    Question(2, QuestionKind.OPEN, "How?", when=("yes",)),
)
OPEN_POLL = AskedPoll(7, PollState.OPEN, QUESTIONS)
EVERYWHERE = ConsentChange(ConsentEventKind.OPT_OUT, OPTED_OUT, everywhere=True)
IN_OTHER_WORDS = [
    "stop",
    "STOP!",
    "Please stop texting me",
    "sotp",
    "🛑",
    "Alto",
    "arrêt",
    "no más",
]


def a_member(state: SubscriberState | None = ACTIVE, *, asked: bool = False) -> Member:
    """Somebody in ``state``; ``asked``: whom an open poll has asked its first question."""
    return Member(state, asked=OPEN_POLL if asked else None, last_asked=1 if asked else 0)


def said(purpose: Purpose, ago: timedelta) -> SaidBefore:
    return SaidBefore(last={purpose: NOW - ago})


def purpose_of(decision: Decision) -> Purpose | None:
    return decision.say.purpose if decision.say else None


def hear(
    member: Member, text: str, program: Program = PROGRAM, *, opt_out_type: str = ""
) -> Decision:
    return decide(member, text, program, NOW, opt_out_type=opt_out_type)


# The table "Joining and leaving", row by row.


@pytest.mark.parametrize("state", [None, PENDING])
@pytest.mark.parametrize(("text", "campaign"), [("STAT", "stat"), ("top10 please", "conference")])
def test_a_join_word_from_a_stranger_or_while_pending_joins_at_once(
    state: SubscriberState | None, text: str, campaign: str
) -> None:
    decision = hear(a_member(state), text)
    assert decision.consent == ConsentChange(ConsentEventKind.OPT_IN, ACTIVE, campaign=campaign)
    assert purpose_of(decision) is Purpose.CONFIRMATION


@pytest.mark.parametrize("text", ["STAT", "start", "UNSTOP"])
def test_a_join_word_of_a_member_changes_nothing_and_is_answered_once_a_day(text: str) -> None:
    decision = hear(a_member(), text)
    assert decision.consent is None
    assert purpose_of(decision) is Purpose.ALREADY_IN
    for ago, again in [(timedelta(hours=23), None), (timedelta(hours=24), Purpose.ALREADY_IN)]:
        told = a_member()._replace(said=said(Purpose.ALREADY_IN, ago))
        assert purpose_of(hear(told, text)) is again


@pytest.mark.parametrize(
    ("text", "campaign"), [("STAT", "stat"), ("START", None), ("unstop", None)]
)
def test_an_opted_out_number_comes_back_by_join_word_or_start(
    text: str, campaign: str | None
) -> None:
    decision = hear(a_member(OPTED_OUT), text)
    assert decision.consent == ConsentChange(ConsentEventKind.REJOIN, ACTIVE, campaign=campaign)
    assert purpose_of(decision) is Purpose.CONFIRMATION


@pytest.mark.parametrize("state", [None, PENDING])
def test_start_from_a_stranger_is_answered_with_the_double_opt_in(
    state: SubscriberState | None,
) -> None:
    decision = hear(a_member(state), "START")
    assert decision.consent == ConsentChange(ConsentEventKind.OPT_IN, PENDING)
    assert purpose_of(decision) is Purpose.DOUBLE_OPT_IN


def test_the_double_opt_in_is_sent_once_a_day() -> None:
    prompted = a_member(PENDING)._replace(said=said(Purpose.DOUBLE_OPT_IN, timedelta(hours=1)))
    assert hear(prompted, "START").say is None


@pytest.mark.parametrize("text", ["YES", "y", "Yes!", "sí", "yes please"])
def test_yes_while_pending_confirms(text: str) -> None:
    decision = hear(a_member(PENDING), text)
    assert decision.consent == ConsentChange(ConsentEventKind.CONFIRMATION, ACTIVE)
    assert purpose_of(decision) is Purpose.CONFIRMATION


@pytest.mark.parametrize("text", ["YES", "Y", "what is this", "no", "who are you?"])
def test_yes_from_a_stranger_never_opts_in_and_is_answered_once_a_day(text: str) -> None:
    decision = hear(a_member(None), text)
    assert decision.consent is None
    assert purpose_of(decision) is Purpose.UNKNOWN
    told = a_member(None)._replace(said=said(Purpose.UNKNOWN, timedelta(hours=23)))
    assert hear(told, text).say is None


@pytest.mark.parametrize("text", IN_OTHER_WORDS)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("asked", [False, True])
def test_an_opt_out_in_any_words_and_any_state_ends_every_program_and_is_confirmed(
    state: SubscriberState | None, text: str, asked: bool
) -> None:
    decision = hear(a_member(state, asked=asked), text)
    assert decision.consent == EVERYWHERE
    assert purpose_of(decision) is Purpose.STOPPED
    assert not decision.answers
    assert decision.outcome is (Outcome.OPTED_OUT if asked else None)


def test_an_opt_out_is_confirmed_once_a_day_but_recorded_each_time() -> None:
    told = a_member(OPTED_OUT)._replace(said=said(Purpose.STOPPED, timedelta(hours=23)))
    decision = hear(told, "STOP")
    assert decision.consent == EVERYWHERE
    assert decision.say is None
    assert purpose_of(hear(told._replace(said=SaidBefore()), "STOP")) is Purpose.STOPPED


@pytest.mark.parametrize(
    "text",
    ["yes", "no", "Hello", "", "thanks", "A", "42", "spam", "attorney", "what?", "yes I want back",
     'Liked "Acme Stat: Reply STOP"', "I'm driving", "end of year", "👍", "join", "\x00"],
)  # fmt: skip
@pytest.mark.parametrize("asked", [False, True])
def test_anything_else_from_an_opted_out_number_is_met_with_silence(text: str, asked: bool) -> None:
    decision = hear(a_member(OPTED_OUT, asked=asked), text)
    assert decision.say is None
    assert (decision.consent, decision.answers, decision.hold) == (None, {}, False)


@pytest.mark.parametrize("text", ["HELP", "help!", "Info", "ayuda"])
@pytest.mark.parametrize("state", STATES)
def test_help_is_always_answered_and_changes_nothing(
    state: SubscriberState | None, text: str
) -> None:
    member = a_member(state, asked=True)._replace(said=said(Purpose.HELP, timedelta(minutes=1)))
    decision = hear(member, text)
    assert purpose_of(decision) is Purpose.HELP
    assert (decision.consent, decision.answers, decision.review) == (None, {}, None)


def test_help_inside_a_sentence_is_no_call_for_help() -> None:
    assert purpose_of(hear(a_member(None), "can you help my practice")) is Purpose.UNKNOWN


@pytest.mark.parametrize("text", ["STAT", "START"])
def test_a_suspended_member_comes_back_by_the_handset(text: str) -> None:
    decision = hear(a_member(SUSPENDED), text)
    assert decision.consent is not None
    assert (decision.consent.kind, decision.consent.state) == (ConsentEventKind.REJOIN, ACTIVE)


@pytest.mark.parametrize("text", ["no", "yes", "N/A"])
def test_an_answer_brings_a_suspended_member_back_and_settles_nothing(text: str) -> None:
    waiting = a_member(SUSPENDED, asked=True)._replace(hold=True)
    decision = hear(waiting, text)
    assert decision.consent is not None
    assert decision.consent.kind is ConsentEventKind.REJOIN
    after = apply(waiting, decision, NOW)
    assert (after.state, after.hold) == (ACTIVE, True)


@pytest.mark.parametrize("text", ["thanks", "When is the meeting?", 'Liked "Ready?"', "HELP"])
def test_other_texts_leave_a_suspended_member_suspended(text: str) -> None:
    waiting = a_member(SUSPENDED, asked=True)
    assert apply(waiting, hear(waiting, text), NOW).state is SUSPENDED


def test_a_suspended_member_still_answers_the_poll_that_asked() -> None:
    decision = hear(a_member(SUSPENDED, asked=True), "no")
    assert decision.outcome is Outcome.COUNTED


@pytest.mark.parametrize("state", [None, PENDING])
@pytest.mark.parametrize("text", ['Liked "Acme Stat: Reply STOP"', "I'm driving, back soon"])
def test_phones_that_answer_by_themselves_are_met_with_silence(
    state: SubscriberState | None, text: str
) -> None:
    decision = hear(a_member(state), text)
    assert (decision.say, decision.consent) == (None, None)


@pytest.mark.parametrize("state", [None, PENDING])
def test_what_may_be_an_opt_out_invites_nobody_to_join(state: SubscriberState | None) -> None:
    decision = hear(a_member(state), "this is spam")
    assert decision.say is None
    assert decision.hold is (state is PENDING)


def test_a_member_who_may_be_opting_out_is_held_without_a_word() -> None:
    decision = hear(a_member(), "my attorney will stop this spam")
    assert (decision.hold, decision.say, decision.consent) == (True, None, None)


def test_an_opt_out_inside_an_automatic_reply_is_held() -> None:
    decision = hear(a_member(), "Automatic reply: out of office. Stop texting me")
    assert (decision.hold, decision.consent) == (True, None)


def test_a_text_nobody_understands_is_left_to_staff() -> None:
    decision = hear(a_member(), "when does the conference begin")
    assert (decision.review, decision.say, decision.outcome) == (True, None, None)


def test_an_empty_text_needs_nobody_unless_a_question_is_open() -> None:
    assert hear(a_member(), "  ").review is None
    assert hear(a_member(asked=True), "").review is True


def test_settling_consent_ends_hold_and_review() -> None:
    watched = a_member(OPTED_OUT)._replace(hold=True, review=True)
    for text in ("STOP", "STAT"):
        after = apply(watched, hear(watched, text), NOW)
        assert (after.hold, after.review) == (False, False)


# The three ways of handling opt-outs.


@pytest.mark.parametrize(
    "text", ["STOP", "stop ", "Quit", "END", "UNSUBSCRIBE", "cancel", "STOPALL"]
)
def test_where_twilio_answers_its_exact_words_we_record_them_in_silence(text: str) -> None:
    decision = hear(a_member(), text, BY_TWILIO)
    assert decision.consent == EVERYWHERE
    assert decision.say is None


@pytest.mark.parametrize("text", ["please stop texting me", "Stop.", "sotp", "alto"])
def test_what_twilio_does_not_know_as_an_opt_out_we_confirm_ourselves(text: str) -> None:
    decision = hear(a_member(), text, BY_TWILIO)
    assert decision.consent == EVERYWHERE
    assert purpose_of(decision) is Purpose.STOPPED


def test_where_twilio_blocks_only_start_brings_a_number_back() -> None:
    joining = hear(a_member(OPTED_OUT), "STAT", BY_TWILIO)
    assert (joining.consent, joining.say) == (None, None)
    start = hear(a_member(OPTED_OUT), "start", BY_TWILIO)
    assert start.consent == ConsentChange(ConsentEventKind.REJOIN, ACTIVE)
    assert start.say is None


def test_where_twilio_answers_a_stranger_still_joins_by_word_with_our_confirmation() -> None:
    assert purpose_of(hear(a_member(None), "STAT", BY_TWILIO)) is Purpose.CONFIRMATION


def test_where_twilio_answers_help_we_stay_silent() -> None:
    assert hear(a_member(), "HELP", BY_TWILIO).say is None
    assert purpose_of(hear(a_member(), "ayuda", BY_TWILIO)) is Purpose.HELP


def test_where_twilio_answers_votes_are_ours() -> None:
    assert purpose_of(hear(a_member(asked=True), "no", BY_TWILIO)) is Purpose.COUNTED


@pytest.mark.parametrize("program", [PROGRAM, BY_TWILIO, ADVANCED])
@pytest.mark.parametrize("text", ["STOP", "fin", "no", "yes", "", "we do it by a circle"])
@pytest.mark.parametrize("last_asked", [1, 2])
def test_an_opt_out_type_of_stop_is_recorded_whatever_the_words(
    program: Program, text: str, last_asked: int
) -> None:
    answers = {1: Given("yes")} if last_asked == 2 else {}
    member = a_member(asked=True)._replace(last_asked=last_asked, answers=answers)
    decision = hear(member, text, program, opt_out_type="STOP")
    assert decision.consent == EVERYWHERE
    assert (decision.say, decision.answers) == (None, {})


def test_an_opt_out_type_of_help_or_start_is_recorded_in_silence() -> None:
    helped = hear(a_member(asked=True), "support", ADVANCED, opt_out_type="HELP")
    assert (helped.say, helped.answers, helped.label) == (None, {}, "help")
    back = hear(a_member(OPTED_OUT, asked=True), "YES", ADVANCED, opt_out_type="START")
    assert back.consent == ConsentChange(ConsentEventKind.REJOIN, ACTIVE)
    assert back.say is None


def test_a_yes_that_twilio_took_for_an_opt_in_is_still_an_answer() -> None:
    decision = hear(a_member(asked=True), "YES", ADVANCED, opt_out_type="START")
    assert decision.answers[1].choice == "yes"
    assert purpose_of(decision) is Purpose.FOLLOW_UP
    assert decision.consent is None


def test_a_yes_that_twilio_took_for_an_opt_in_still_confirms_a_double_opt_in() -> None:
    decision = hear(a_member(PENDING), "YES", ADVANCED, opt_out_type="START")
    assert decision.consent == ConsentChange(ConsentEventKind.CONFIRMATION, ACTIVE)
    assert decision.say is None


@pytest.mark.parametrize(
    ("state", "kind"), [(None, ConsentEventKind.OPT_IN), (OPTED_OUT, ConsentEventKind.REJOIN)]
)
def test_a_join_word_that_twilio_took_for_an_opt_in_joins_and_keeps_its_campaign(
    state: SubscriberState | None, kind: ConsentEventKind
) -> None:
    decision = hear(a_member(state), "TOP10", ADVANCED, opt_out_type="START")
    assert decision.consent == ConsentChange(kind, ACTIVE, campaign="conference")
    assert decision.say is None


def test_an_opt_out_type_not_known_here_changes_nothing() -> None:
    assert hear(a_member(), "hello", opt_out_type="MAYBE") == hear(a_member(), "hello")


def test_a_text_to_an_address_without_a_program_counts_only_as_an_opt_out() -> None:
    assert decide_without_program("please stop texting me").consent == EVERYWHERE
    for text in ("STAT", "yes", "HELP", "START", ""):
        decision = decide_without_program(text)
        assert (decision.consent, decision.say) == (None, None)


# Laws.

TEXTS = st.one_of(
    st.sampled_from(
        [
            "yes",
            "no",
            "YES - we have a coach",
            "STOP",
            "stop texting me",
            "STAT",
            "START",
            "HELP",
            "hello",
            "thanks",
            "spam",
            "",
            "we meet monthly",
            "n/a",
            "idk",
            "👍",
            "🛑",
            "42",
            "B",
            "I'm driving",
            'Liked "Reply STOP"',
            "No, and please don't text me",
        ]
    ),
    st.text(max_size=40),
)
STEPS = st.lists(st.tuples(TEXTS, st.timedeltas(timedelta(0), timedelta(hours=30))), max_size=12)
MEMBERS = st.builds(a_member, st.sampled_from(STATES), asked=st.booleans())
PROGRAMS = st.sampled_from([PROGRAM, BY_TWILIO, ADVANCED])


@settings(max_examples=300)
@given(st.text(max_size=60), st.booleans())
def test_only_join_start_help_and_stop_ever_get_a_text_after_an_opt_out(
    text: str, asked: bool
) -> None:
    decision = hear(a_member(OPTED_OUT, asked=asked), text)
    assert decision.say is None or decision.label in {"stop", "help", "start", "join"}


@settings(max_examples=150)
@given(MEMBERS, STEPS, PROGRAMS)
def test_any_conversation_can_be_had_and_every_text_in_it_can_be_worded(
    member: Member, steps: list[tuple[str, timedelta]], program: Program
) -> None:
    now = NOW
    for text, pause in steps:
        now += pause
        decision = decide(member, text, program, now)
        if decision.say:
            assert render(program, decision.say).startswith(program.name)
        if member.state is OPTED_OUT:
            assert not decision.answers
        member = apply(member, decision, now)
        assert decision.rule


@settings(max_examples=150)
@given(MEMBERS, STEPS, PROGRAMS)
def test_stop_ends_any_conversation_with_at_most_one_confirmation_a_day(
    member: Member, steps: list[tuple[str, timedelta]], program: Program
) -> None:
    now, confirmed = NOW, []
    for text, pause in [*steps, ("STOP", timedelta(0)), ("Stop!", timedelta(minutes=1))]:
        now += pause
        decision = decide(member, text, program, now)
        if purpose_of(decision) is Purpose.STOPPED:
            confirmed.append(now)
        member = apply(member, decision, now)
    assert member.state is OPTED_OUT
    assert decide(member, "hello there", program, now).say is None
    day = timedelta(hours=24)
    assert all(later - earlier >= day for earlier, later in pairwise(confirmed))


@given(st.text(max_size=40), st.sampled_from(STATES))
def test_two_robots_talking_fall_silent_and_staff_are_told(
    text: str, state: SubscriberState | None
) -> None:
    member = a_member(state)._replace(said=SaidBefore(within_hour=MOST_TEXTS_AN_HOUR))
    decision = hear(member, text)
    freely = hear(a_member(state), text)
    if freely.say is None or purpose_of(freely) is Purpose.STOPPED:
        assert decision == freely
    else:
        assert decision == freely._replace(say=None, review=True)
