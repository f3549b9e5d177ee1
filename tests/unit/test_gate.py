"""The last look before a text leaves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.consent import SubscriberState
from service.domain.deliveries import MOVES, DeliveryState
from service.domain.gate import Standing, may_be_sent
from service.domain.polls import PollState
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
) -> Standing:
    return Standing(number, state, hold, review, timezone, poll)


def test_an_active_member_of_an_open_poll_is_texted_by_day() -> None:
    verdict = may_be_sent(a_standing(), PROGRAM, NOON)
    assert (verdict.state, verdict.reason, verdict.not_before) == (DeliveryState.HANDED, "", None)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (SubscriberState.OPTED_OUT, "opted out"),
        (SubscriberState.PENDING, "not active"),
        (SubscriberState.SUSPENDED, "not active"),
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
    assert (verdict.state, verdict.reason) == (DeliveryState.CANCELLED, f"poll {poll.value}")


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


STANDINGS = st.builds(
    a_standing,
    st.sampled_from([IN_DENVER, IN_FLORIDA, "+12085550100", "+18085550100", "+18005550100"]),
    st.sampled_from([*SubscriberState, None]),
    hold=st.booleans(),
    review=st.booleans(),
    poll=st.sampled_from([*PollState, None]),
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
