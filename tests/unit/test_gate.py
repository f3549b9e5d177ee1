"""The last look before a text leaves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.consent import SubscriberState
from service.domain.deliveries import MOVES, UNASKED, DeliveryState, Purpose
from service.domain.frequency import Sent
from service.domain.gate import Standing, may_be_answered, may_be_sent
from service.domain.polls import NOT_SENT_AFTER, PollState
from service.domain.programs import Program
from service.domain.quiet_hours import QuietHours

NOON = datetime(2021, 3, 30, 18, tzinfo=UTC)
"""Tuesday noon in Denver."""
NIGHT = NOON + timedelta(hours=12)
IN_DENVER, IN_FLORIDA = "+13035550100", "+18505550100"
PROGRAM = Program(1, "stat", "Acme Stat", "Acme", "leaders", "33550")


def a_standing(
    number: str = IN_DENVER,
    state: SubscriberState | None = SubscriberState.ACTIVE,
    *,
    hold: bool = False,
    review: bool = False,
    timezone: str | None = None,
    poll: PollState | None = PollState.OPEN,
    closes_at: datetime | None = None,
    purpose: Purpose = Purpose.ASK,
    stopped: bool = False,
    sent: Sent | None = None,
) -> Standing:
    return Standing(
        number,
        state,
        hold,
        review,
        timezone,
        poll,
        closes_at,
        purpose,
        stopped,
        sent or Sent(),
    )


def test_an_active_member_of_an_open_poll_is_texted_by_day() -> None:
    verdict = may_be_sent(a_standing(), PROGRAM, NOON)
    assert (verdict.state, verdict.reason, verdict.not_before) == (DeliveryState.HANDED, "", None)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (SubscriberState.OPTED_OUT, "opted out"),
        (SubscriberState.PENDING, "not active"),
        (SubscriberState.SUSPENDED, "suspended"),
        (None, "not active"),
    ],
)
def test_whoever_is_not_in_is_not_texted(state: SubscriberState | None, reason: str) -> None:
    verdict = may_be_sent(a_standing(state=state), PROGRAM, NOON)
    assert (verdict.state, verdict.reason) == (DeliveryState.CANCELLED, reason)


def test_a_number_on_hold_or_in_review_is_not_texted() -> None:
    held = may_be_sent(a_standing(hold=True, review=True), PROGRAM, NOON)
    reviewed = may_be_sent(a_standing(review=True), PROGRAM, NOON)
    assert (held.state, held.reason) == (DeliveryState.CANCELLED, "on hold")
    assert (reviewed.state, reviewed.reason) == (DeliveryState.CANCELLED, "in review")


def test_a_paused_poll_keeps_its_texts() -> None:
    verdict = may_be_sent(a_standing(poll=PollState.PAUSED), PROGRAM, NOON)
    assert (verdict.state, verdict.not_before) == (DeliveryState.READY, NOON)


@pytest.mark.parametrize("poll", sorted(set(PollState) - {PollState.OPEN, PollState.PAUSED}))
def test_a_poll_that_is_not_open_sends_nothing(poll: PollState) -> None:
    verdict = may_be_sent(a_standing(poll=poll), PROGRAM, NOON)
    reason = NOT_SENT_AFTER.get(poll, f"poll {poll.value}")
    assert (verdict.state, verdict.reason) == (DeliveryState.CANCELLED, reason)


def test_a_text_of_no_poll_looks_at_the_person_only() -> None:
    assert may_be_sent(a_standing(poll=None), PROGRAM, NOON).state is DeliveryState.HANDED


def test_at_night_a_text_is_put_off_until_morning_and_not_dropped() -> None:
    verdict = may_be_sent(a_standing(), PROGRAM, NIGHT)
    assert (verdict.state, verdict.reason) == (DeliveryState.DEFERRED, "quiet hours")
    assert verdict.not_before == datetime(2021, 3, 31, 16, tzinfo=UTC)


def test_an_area_split_over_two_zones_waits_for_both() -> None:
    ten_in_new_york = datetime(2021, 3, 30, 14, tzinfo=UTC)
    verdict = may_be_sent(a_standing(IN_FLORIDA), PROGRAM, ten_in_new_york)
    assert verdict.not_before == ten_in_new_york + timedelta(hours=1)


def test_a_zone_the_member_gave_settles_it() -> None:
    ten_in_new_york = datetime(2021, 3, 30, 14, tzinfo=UTC)
    standing = a_standing(IN_FLORIDA, timezone="America/New_York")
    assert may_be_sent(standing, PROGRAM, ten_in_new_york).state is DeliveryState.HANDED


def test_a_rehearsal_without_quiet_hours_sends_at_night() -> None:
    rehearsal = replace(PROGRAM, quiet_hours=QuietHours(enforced=False))
    assert may_be_sent(a_standing(), rehearsal, NIGHT).state is DeliveryState.HANDED


@pytest.mark.parametrize("number", ["+18005550100", "+79161234567"])
def test_a_number_whose_zones_share_no_hour_is_passed_over_with_a_reason(number: str) -> None:
    verdict = may_be_sent(a_standing(number), PROGRAM, NOON)
    assert verdict.state is DeliveryState.CANCELLED
    assert verdict.reason == "no hour is allowed in all its zones"


def test_a_short_code_that_joined_is_in_the_programs_zone() -> None:
    assert may_be_sent(a_standing("44660"), PROGRAM, NOON).state is DeliveryState.HANDED


def test_an_opt_out_newer_than_the_joining_holds_whichever_program_it_was_said_to() -> None:
    verdict = may_be_sent(a_standing(stopped=True), PROGRAM, NOON)
    assert (verdict.state, verdict.reason) == (DeliveryState.CANCELLED, "opted out")


def test_a_holiday_is_closed_like_a_sunday() -> None:
    thanksgiving = datetime(2026, 11, 26, 19, tzinfo=UTC)
    verdict = may_be_sent(a_standing(), PROGRAM, thanksgiving)
    assert (verdict.state, verdict.reason) == (DeliveryState.DEFERRED, "quiet hours")
    assert verdict.not_before == datetime(2026, 11, 27, 17, tzinfo=UTC)
    assert verdict.checks.endswith("Thu 12:00 America/Denver (Thanksgiving Day)")


def test_a_text_lives_until_the_hours_end_or_the_poll_closes() -> None:
    six = datetime(2021, 3, 31, 0, tzinfo=UTC)
    assert may_be_sent(a_standing(), PROGRAM, NOON).expires_at == six
    for hours, expires_at in ((2, NOON + timedelta(hours=2)), (48, six)):
        closing = a_standing(closes_at=NOON + timedelta(hours=hours))
        assert may_be_sent(closing, PROGRAM, NOON).expires_at == expires_at


def test_with_no_time_left_to_arrive_a_text_waits_for_the_next_morning() -> None:
    six = datetime(2021, 3, 31, 0, tzinfo=UTC)
    for seconds, state in ((16, DeliveryState.HANDED), (14, DeliveryState.DEFERRED)):
        verdict = may_be_sent(a_standing(), PROGRAM, six - timedelta(seconds=seconds))
        assert verdict.state is state
    assert verdict.not_before == datetime(2021, 3, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize("purpose", [Purpose.ASK, Purpose.REMINDER])
@pytest.mark.parametrize(
    ("closes_in", "state"), [(16, "cancelled"), (22, "cancelled"), (22.1, "deferred")]
)
def test_a_text_whose_hours_come_after_the_close_is_not_put_off_for_ever(
    purpose: Purpose, closes_in: float, state: str
) -> None:
    evening = NOON + timedelta(hours=6)  # the hours begin again 16 hours later
    closes_at = NOON + timedelta(hours=closes_in)
    standing = a_standing(closes_at=closes_at, purpose=purpose)
    verdict = may_be_sent(standing, PROGRAM, evening)
    assert verdict.state == state
    if state == "cancelled":
        assert verdict.reason == "its hours come after the close"


def test_a_poll_that_should_have_closed_by_now_asks_nobody() -> None:
    verdict = may_be_sent(a_standing(closes_at=NOON), PROGRAM, NOON)
    assert verdict.state is DeliveryState.CANCELLED


def test_the_stated_monthly_number_is_reached_and_not_passed() -> None:
    last = may_be_sent(a_standing(sent=Sent(month=14)), PROGRAM, NOON)
    more = may_be_sent(a_standing(sent=Sent(month=15)), PROGRAM, NOON)
    assert last.state is DeliveryState.HANDED
    assert (more.state, more.reason) == (DeliveryState.CANCELLED, "monthly number reached")


def test_who_is_put_off_is_judged_by_the_month_only_when_the_text_leaves() -> None:
    verdict = may_be_sent(a_standing(sent=Sent(month=15)), PROGRAM, NIGHT)
    assert (verdict.state, verdict.reason) == (DeliveryState.DEFERRED, "quiet hours")


def test_a_fourth_text_in_a_day_waits_for_the_window_and_then_for_the_hours() -> None:
    morning = tuple(NOON - timedelta(hours=hours) for hours in (0.5, 1, 1.5))
    verdict = may_be_sent(a_standing(sent=Sent(unasked=morning)), PROGRAM, NOON)
    assert (verdict.state, verdict.reason) == (DeliveryState.DEFERRED, "3 texts in 24 hours")
    assert verdict.not_before == NOON + timedelta(hours=22.5)
    friday = datetime(2021, 4, 2, 18, tzinfo=UTC)
    three = Sent(unasked=(friday, friday, friday))
    weekend = may_be_sent(a_standing(sent=three), PROGRAM, friday)
    assert weekend.not_before == datetime(2021, 4, 5, 16, tzinfo=UTC)


def test_a_fourth_text_that_would_come_after_the_close_is_dropped() -> None:
    three = Sent(unasked=(NOON, NOON, NOON))
    standing = a_standing(sent=three, closes_at=NOON + timedelta(hours=20))
    assert may_be_sent(standing, PROGRAM, NOON).state is DeliveryState.CANCELLED


def test_two_robots_talking_are_given_no_more_until_the_hour_is_over() -> None:
    ten = Sent(automatic=tuple(NOON - timedelta(minutes=5 * n) for n in range(10)))
    verdict = may_be_sent(a_standing(sent=ten), PROGRAM, NOON)
    assert (verdict.state, verdict.reason) == (DeliveryState.DEFERRED, "10 texts in an hour")
    assert verdict.not_before == NOON + timedelta(minutes=15)


@pytest.mark.parametrize("poll", PollState)
def test_results_are_of_a_poll_that_has_closed(poll: PollState) -> None:
    standing = a_standing(poll=poll, purpose=Purpose.RESULTS, closes_at=NOON - timedelta(days=1))
    verdict = may_be_sent(standing, PROGRAM, NOON)
    if poll in (PollState.CLOSED, PollState.PUBLISHED):
        assert verdict.state is DeliveryState.HANDED
        assert verdict.expires_at == datetime(2021, 3, 31, 0, tzinfo=UTC)
    else:
        assert (verdict.state, verdict.reason) == (DeliveryState.CANCELLED, f"poll {poll.value}")


def test_an_alert_needs_no_subscriber_and_no_hour() -> None:
    staff = a_standing(state=None, poll=None, purpose=Purpose.ALERT, sent=Sent(month=99))
    assert may_be_sent(staff, PROGRAM, NIGHT).state is DeliveryState.HANDED
    stopped = replace(staff, stopped=True)
    assert may_be_sent(stopped, PROGRAM, NOON).reason == "opted out"


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - UNASKED - {Purpose.ALERT}))
def test_what_answers_a_text_is_in_no_limit_but_an_opt_out_stands(purpose: Purpose) -> None:
    full = Sent(99, (NOON,) * 9, (NOON,) * 99)
    answer = a_standing(purpose=purpose, sent=full, poll=None)
    assert may_be_sent(answer, PROGRAM, NIGHT).state is DeliveryState.HANDED
    verdict = may_be_sent(replace(answer, state=SubscriberState.OPTED_OUT), PROGRAM, NOON)
    allowed = purpose in (Purpose.STOPPED, Purpose.HELP)
    assert (verdict.state is DeliveryState.HANDED) == allowed


def test_every_check_is_kept_for_people_to_read() -> None:
    sent = Sent(month=3, unasked=(NOON - timedelta(hours=2),))
    assert may_be_sent(a_standing(IN_FLORIDA, sent=sent), PROGRAM, NOON).checks == (
        "active; poll open; month 4/15; day 2/3; hour 1/10; "
        "hours 10:00-18:00: Tue 13:00 America/Chicago, Tue 14:00 America/New_York"
    )
    held = may_be_sent(a_standing(hold=True, poll=None), PROGRAM, NOON)
    assert held.checks.startswith("on hold; no poll; month 1/15;")
    lost = may_be_sent(a_standing("+18005550100"), PROGRAM, NOON)
    assert lost.checks.endswith("zones")


STANDINGS = st.builds(
    a_standing,
    st.sampled_from([IN_DENVER, IN_FLORIDA, "+12085550100", "+18085550100", "+18005550100"]),
    st.sampled_from([*SubscriberState, None]),
    hold=st.booleans(),
    review=st.booleans(),
    poll=st.sampled_from([*PollState, None]),
    stopped=st.booleans(),
    sent=st.builds(
        Sent,
        st.integers(0, 14),
        st.lists(st.integers(0, 48), max_size=5).map(
            lambda hours: tuple(
                datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=n) for n in hours
            )
        ),
    ),
)
INSTANTS = st.integers(0, 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(STANDINGS, INSTANTS)
def test_only_an_active_member_nobody_must_look_at_is_ever_texted(
    standing: Standing, now: datetime
) -> None:
    verdict = may_be_sent(standing, PROGRAM, now)
    if verdict.state in (DeliveryState.HANDED, DeliveryState.DEFERRED):
        assert standing.state is SubscriberState.ACTIVE
        assert not standing.stopped
        assert not standing.hold
        assert not standing.review
        assert standing.poll in (PollState.OPEN, None)
    else:
        assert verdict.reason


@given(STANDINGS, INSTANTS)
def test_a_text_put_off_leaves_at_the_instant_named(standing: Standing, now: datetime) -> None:
    verdict = may_be_sent(standing, PROGRAM, now)
    if verdict.state is DeliveryState.DEFERRED:
        assert verdict.not_before is not None
        assert verdict.not_before > now
        assert may_be_sent(standing, PROGRAM, verdict.not_before).state is DeliveryState.HANDED


def test_every_verdict_is_a_move_from_a_leased_row() -> None:
    for state, hold, poll in product([*SubscriberState, None], [False, True], [*PollState, None]):
        verdict = may_be_sent(a_standing(state=state, hold=hold, poll=poll), PROGRAM, NIGHT)
        assert verdict.state in MOVES[DeliveryState.LEASED]


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("minutes", [0, 4, 6, 59, 61])
def test_a_members_own_text_is_answered_at_any_hour_but_not_late(
    purpose: Purpose, minutes: int
) -> None:
    verdict = may_be_answered(
        purpose, NIGHT, NIGHT + timedelta(minutes=minutes), stopped_since=False
    )
    within = 5 if purpose is Purpose.STOPPED else 60
    if minutes < within:
        assert verdict.state is DeliveryState.HANDED
        assert verdict.expires_at == NIGHT + timedelta(minutes=within)
    else:
        assert (verdict.state, verdict.reason) == (DeliveryState.CANCELLED, "too late to answer")


@pytest.mark.parametrize("purpose", list(Purpose))
def test_after_a_stop_only_its_confirmation_and_help_go_out(purpose: Purpose) -> None:
    verdict = may_be_answered(purpose, NIGHT, NIGHT, stopped_since=True)
    may = purpose in (Purpose.STOPPED, Purpose.HELP)
    assert verdict.state is (DeliveryState.HANDED if may else DeliveryState.CANCELLED)
