"""The ledger's states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.deliveries import (
    FINAL,
    MOVES,
    SENT_STATES,
    WAITING,
    DeliveryState,
    Purpose,
    advance,
    receipt_state,
)

S = DeliveryState
STATES = st.sampled_from(list(DeliveryState))
LIVES = {
    # What Twilio tells of one text over its life, and where that must end.
    ("queued", "sending", "sent", "delivered"): S.DELIVERED,
    ("accepted", "queued", "sent", "delivered", "read"): S.DELIVERED,
    ("queued", "sent", "undelivered"): S.UNDELIVERED,
    ("queued", "sent", "undelivered", "delivered"): S.DELIVERED,
    ("queued", "sending", "failed"): S.FAILED,
    ("scheduled", "canceled"): S.CANCELLED,
    ("queued", "sent"): S.SENT,
    ("accepted", "queued", "sending"): S.ACCEPTED,
}
UNSETTLED = [S.READY, S.DEFERRED, S.LEASED, S.HANDED, S.IN_DOUBT]
RANK = {S.ACCEPTED: 1, S.SENT: 2, S.UNDELIVERED: 3, S.DELIVERED: 4}


def after(state: DeliveryState, statuses: list[str]) -> DeliveryState:
    for status in statuses:
        towards = receipt_state(status)
        assert towards is not None
        state = advance(state, towards)
    return state


def shuffled(life: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    """The receipts of a life in any order, each at least once, some again."""
    again = st.lists(st.sampled_from(life), max_size=5)
    return again.flatmap(lambda more: st.permutations([*life, *more]))


@pytest.mark.parametrize(("life", "end"), LIVES.items(), ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("start", UNSETTLED)
@given(data=st.data())
def test_shuffled_and_repeated_receipts_end_in_one_state(
    start: DeliveryState, life: tuple[str, ...], end: DeliveryState, data: st.DataObject
) -> None:
    assert after(start, data.draw(shuffled(life))) is end


@given(st.lists(st.sampled_from(["queued", "sent", "undelivered", "delivered"])))
def test_receipts_never_lower_a_state(statuses: list[str]) -> None:
    state = S.ACCEPTED
    for status in statuses:
        later = after(state, [status])
        assert RANK[later] >= RANK[state]
        state = later


def test_delivered_may_replace_undelivered_but_not_the_other_way_round() -> None:
    assert advance(S.UNDELIVERED, S.DELIVERED) is S.DELIVERED
    assert advance(S.DELIVERED, S.UNDELIVERED) is S.DELIVERED


@given(STATES, STATES)
def test_news_moves_along_the_table_or_changes_nothing(
    state: DeliveryState, towards: DeliveryState
) -> None:
    reached = advance(state, towards)
    assert reached is (towards if towards in MOVES[state] else state)
    assert advance(reached, towards) is reached


def test_every_state_is_in_the_table_and_none_moves_to_itself() -> None:
    assert set(MOVES) == set(DeliveryState)
    assert all(state not in targets for state, targets in MOVES.items())


def test_final_states_lead_nowhere_and_only_they() -> None:
    assert {state for state, targets in MOVES.items() if not targets} == FINAL


def test_a_text_that_waits_can_still_be_stopped() -> None:
    assert all(S.CANCELLED in MOVES[state] for state in WAITING)
    assert not WAITING & SENT_STATES


@pytest.mark.parametrize("state", UNSETTLED)
def test_the_carriers_word_counts_wherever_the_row_stands(state: DeliveryState) -> None:
    for news in (*SENT_STATES, S.FAILED):
        assert advance(state, news) is news


@pytest.mark.parametrize("state", sorted(SENT_STATES | FINAL))
def test_what_the_carrier_has_taken_is_never_made_ready_or_handed_over_again(
    state: DeliveryState,
) -> None:
    assert not MOVES[state] & {*WAITING, S.HANDED, S.IN_DOUBT}


def test_only_a_leased_text_is_handed_over_and_only_a_handed_one_falls_into_doubt() -> None:
    assert [state for state in S if S.HANDED in MOVES[state]] == [S.LEASED]
    assert [state for state in S if S.IN_DOUBT in MOVES[state]] == [S.HANDED]


def test_every_state_can_be_reached_and_every_unsettled_one_can_end() -> None:
    reachable = {S.READY}
    for _ in DeliveryState:
        reachable |= {target for state in reachable for target in MOVES[state]}
    assert reachable == set(DeliveryState)
    assert all(MOVES[state] & FINAL for state in DeliveryState if state not in FINAL)


@pytest.mark.parametrize("status", ["", "receiving", "received", "DELIVERED", "teleported"])
def test_a_status_not_known_here_stands_for_no_state(status: str) -> None:
    assert receipt_state(status) is None


def test_a_canceled_message_of_the_carrier_is_a_cancelled_text() -> None:
    assert receipt_state("canceled") is S.CANCELLED
    assert advance(S.ACCEPTED, S.CANCELLED) is S.CANCELLED
    assert advance(S.SENT, S.CANCELLED) is S.SENT


def test_purposes_are_the_names_of_their_wordings() -> None:
    assert {purpose.value for purpose in Purpose} >= {"ask", "follow_up", "stopped", "help"}
