"""An alert is one GSM-7 segment, whatever it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.alert_texts import alert_text
from service.domain.programs import Program
from service.domain.segments import measure


def program(name: str = "Acme Stat") -> Program:
    return Program(1, "stat", name, "Acme", "members", "33550")


def test_a_short_alert_is_said_in_full() -> None:
    said = alert_text(program(), "Poll coaching is paused.")
    assert said == "Acme Stat staff: Poll coaching is paused."


def test_a_long_alert_is_cut_at_the_end() -> None:
    said = alert_text(program(), "word " * 60)
    assert said.endswith("...")
    assert 150 < len(said) <= 160


@pytest.mark.parametrize(
    ("sentence", "said"),
    [("It’s “late” – look…", 'It\'s "late" - look...'), ("naïve 😀", "na?ve ?")],
)
def test_what_would_cost_more_is_written_plainly(sentence: str, said: str) -> None:
    assert alert_text(program(), sentence) == f"Acme Stat staff: {said}"


@given(st.text(max_size=400), st.text(min_size=1, max_size=20))
def test_every_alert_is_one_plain_segment(sentence: str, brand: str) -> None:
    size = measure(alert_text(program(brand), sentence))
    assert (size.encoding, size.segments) == ("GSM-7", 1)
