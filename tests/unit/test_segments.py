"""What a text costs."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.segments import measure

EURO = "€"
GSM_TEXT = st.text(st.sampled_from("aZ09 @£\n_ñÜ§¿" + "^{}\\[~]|€\f"))
ANY_TEXT = st.text(max_size=200)


def repeated(character: str, times: int) -> str:
    return character * times


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "GSM-7", 0, 1),
        (repeated("a", 160), "GSM-7", 160, 1),
        (repeated("a", 161), "GSM-7", 161, 2),
        (repeated("a", 306), "GSM-7", 306, 2),
        (repeated("a", 307), "GSM-7", 307, 3),
        (repeated(EURO, 80), "GSM-7", 160, 1),
        (repeated(EURO, 81), "GSM-7", 162, 2),
        (repeated("á", 70), "UCS-2", 70, 1),
        (repeated("á", 71), "UCS-2", 71, 2),
        (repeated("á", 134), "UCS-2", 134, 2),
        (repeated("á", 135), "UCS-2", 135, 3),
        (repeated("😜", 35), "UCS-2", 70, 1),
        (repeated("😜", 36), "UCS-2", 72, 2),
    ],
)
def test_borders_between_segments_are_where_the_standard_puts_them(
    text: str, encoding: str, units: int, segments: int
) -> None:
    size = measure(text)
    assert (size.encoding, size.units, size.segments) == (encoding, units, segments)


def test_an_escape_pair_is_not_split_over_two_segments() -> None:
    # 152 septets and then a pair: the pair moves over whole, so the second part starts with it.
    assert measure("a" * 152 + EURO + "a" * 151).segments == 2
    assert measure("a" * 152 + EURO + "a" * 152).segments == 3
    assert measure("a" * 153 + EURO + "a" * 151).segments == 2


def test_a_surrogate_pair_is_not_split_over_two_segments() -> None:
    assert measure("á" * 66 + "😜" + "á" * 65).segments == 2
    assert measure("á" * 66 + "😜" + "á" * 66).segments == 3


def test_offenders_are_named_once_in_order_of_appearance() -> None:
    assert measure("“Sí” – “no” ’tis").offenders == ("“", "í", "”", "–", "’")
    assert measure('Straight "quotes" only').offenders == ()


def test_letters_of_spanish_split_into_those_that_fit_and_those_that_do_not() -> None:
    assert measure("ñ Ñ é ü Ü ¿ ¡").encoding == "GSM-7"
    assert measure("áíóú").offenders == ("á", "í", "ó", "ú")


@given(ANY_TEXT, ANY_TEXT)
def test_appending_text_never_lowers_the_count(text: str, more: str) -> None:
    assert measure(text + more).segments >= measure(text).segments


@given(st.text(st.sampled_from("aé€á😜"), max_size=400), st.sampled_from("aé€á😜"))
def test_appending_one_character_near_a_border_never_lowers_the_count(text: str, one: str) -> None:
    assert 0 <= measure(text + one).segments - measure(text).segments <= len(text) + 1


@given(ANY_TEXT)
def test_the_encoding_is_ucs_2_exactly_when_something_offends(text: str) -> None:
    size = measure(text)
    assert (size.encoding == "UCS-2") == bool(size.offenders)
    assert set(size.offenders) <= set(text)
    if size.encoding == "UCS-2":
        assert size.units == len(text.encode("utf-16-be", "surrogatepass")) // 2


@given(GSM_TEXT, ANY_TEXT)
def test_a_text_is_gsm_7_exactly_when_all_its_parts_are(text: str, other: str) -> None:
    assert measure(text).encoding == "GSM-7"
    assert (measure(text + other).encoding == "GSM-7") == (measure(other).encoding == "GSM-7")


@given(ANY_TEXT)
def test_the_segments_hold_the_units(text: str) -> None:
    size = measure(text)
    single, part = (160, 153) if size.encoding == "GSM-7" else (70, 67)
    assert size.segments >= 1
    assert (size.segments == 1) == (size.units <= single)
    assert size.units <= max(single, part * size.segments)


def test_the_recorded_counts_are_met(shared_data: Path) -> None:
    rows = json.loads((shared_data / "vectors" / "segments.json").read_text("utf-8"))
    assert rows
    for row in rows:
        size = measure(row["text"])
        assert (size.encoding, size.segments) == (row["encoding"], row["segments"]), row["name"]


def test_the_table_of_the_standard_is_complete_and_holds_nothing_else(shared_data: Path) -> None:
    table = json.loads((shared_data / "vectors" / "gsm0338_table.json").read_text("utf-8"))
    for character, septets in table.items():
        size = measure(character)
        assert (size.encoding, size.units) == ("GSM-7", len(septets)), repr(character)
    fitting = {chr(c) for c in range(0x10000) if not measure(chr(c)).offenders}
    assert fitting == set(table)
