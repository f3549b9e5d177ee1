"""The table of the carrier's codes says what the rules say."""

from datetime import timedelta

import pytest

from service.domain.carrier_errors import BLAMELESS, TABLE, Remedy, carrier_error


@pytest.mark.parametrize("code", [21211, 21614, 21635, 30005, 30006])
def test_a_dead_number_is_suspended_after_one_or_two_polls_and_never_tried_again(code: int) -> None:
    line = carrier_error(code)
    assert line.remedy is Remedy.SUSPEND
    assert line.suspends_after in (1, 2)
    assert line.again_after is None


@pytest.mark.parametrize("code", [30003, 30004, 30008, None, 0, 98765])
def test_a_soft_failure_is_tried_once_more_after_an_hour(code: int | None) -> None:
    line = carrier_error(code)
    assert line.again_after is not None
    assert line.again_after >= timedelta(hours=1)
    assert line.suspends_after == 3


def test_a_code_that_the_table_lacks_is_shown_to_staff() -> None:
    assert carrier_error(98765).tells_staff
    assert not carrier_error(None).tells_staff


@pytest.mark.parametrize(
    "code", [21606, 21659, 21212, 21608, 21602, 21604, 21617, 20003, 30002, 20404, 21603]
)
def test_what_is_wrong_with_account_or_text_stops_the_poll(code: int) -> None:
    assert carrier_error(code).remedy is Remedy.STOP_POLL
    assert code in BLAMELESS


@pytest.mark.parametrize("code", [21602, 21604, 21617])
def test_a_text_that_is_itself_unfit_does_not_wait(code: int) -> None:
    assert not carrier_error(code).keeps_text
    assert carrier_error(code).again_after is None


@pytest.mark.parametrize("code", [30001, 21611, 30036, 63017])
def test_congestion_is_tried_again_soon_and_blames_nobody(code: int) -> None:
    line = carrier_error(code)
    assert line.remedy is Remedy.SLOW_DOWN
    assert line.again_after is not None
    assert line.suspends_after == 0


@pytest.mark.parametrize("code", [30007, 30410, 21612, 21408, 30024, 21610])
def test_these_are_never_sent_again(code: int) -> None:
    assert carrier_error(code).again_after is None
    assert carrier_error(code).suspends_after == 0


def test_pumping_is_tried_again_after_half_an_hour() -> None:
    assert carrier_error(30450).again_after == timedelta(minutes=30)


@pytest.mark.parametrize("code", [21612, 21408, 30024])
def test_what_is_not_the_members_fault_is_reported(code: int) -> None:
    assert carrier_error(code).tells_staff


def test_every_line_tells_what_it_means() -> None:
    assert all(line.meaning and not line.meaning.endswith(".") for line in TABLE.values())
