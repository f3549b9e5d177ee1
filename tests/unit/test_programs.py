"""A program and the words of consent, as the rules see them."""

from dataclasses import FrozenInstanceError

import pytest

from service.domain.consent import ConsentChange, ConsentEventKind, OptOutMode, SubscriberState
from service.domain.programs import Program


def a_program(*keywords: str) -> Program:
    words = {word: word.lower() for word in keywords}
    return Program(1, "stat", "Acme Stat", "Acme", "leaders", "33550", keywords=words)


def test_the_join_word_to_name_is_the_first() -> None:
    assert a_program("STAT", "TOP10").keyword == "STAT"


def test_a_program_without_join_words_names_start() -> None:
    assert a_program().keyword == "START"


def test_what_a_program_is_if_nothing_is_said() -> None:
    program = a_program()
    assert program.opt_out_mode is OptOutMode.APP
    assert str(program.quiet_hours) == "10:00-18:00"
    assert (program.monthly_texts, program.late_limit_minutes) == (15, 60)


def test_a_change_of_consent_is_one_programs_unless_it_says_otherwise() -> None:
    change = ConsentChange(ConsentEventKind.OPT_IN, SubscriberState.ACTIVE)
    assert (change.everywhere, change.campaign) == (False, None)
    with pytest.raises(FrozenInstanceError):
        change.state = SubscriberState.OPTED_OUT  # type: ignore[misc]


def test_the_kinds_of_evidence_are_those_of_the_rules() -> None:
    assert {kind.value for kind in ConsentEventKind} == {
        "opt_in", "confirmation", "opt_out", "hold", "release", "suspension", "rejoin", "erasure"
    }  # fmt: skip
