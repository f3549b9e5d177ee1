"""Phone numbers."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from service.domain.phone import lock_key, mask, number_key, parse_number
from service.errors import InvalidInputError

WHITE_HOUSE = "+12024561111"
DIGITS = st.from_regex(r"\+1[2-9]\d{9}", fullmatch=True)
TEXTABLE = {
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER,
}


def refusal(typed: str, **options: tuple[str, ...]) -> str:
    with pytest.raises(InvalidInputError) as caught:
        parse_number(typed, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    "typed",
    [
        "(202) 456-1111",
        "202.456.1111",
        " 2024561111 ",
        "1 202 456 1111",
        "+1-202-456-1111",
        "tel:+1-202-456-1111",
        "２０２４５６１１１１",
        "\u202a+1 202 456 1111\u202c",
    ],
)
def test_one_number_in_any_dress_is_one_number(typed: str) -> None:
    assert parse_number(typed) == WHITE_HOUSE


@pytest.mark.parametrize("typed", ["", " ", "abc", "N/A", "1"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    assert refusal(typed).endswith("is not a phone number")


@pytest.mark.parametrize(
    "typed", ["33550", "911", "567-1234", "+1 555 555 0100", "+1 650 253 00001", "123-456-7890"]
)
def test_invalid_numbers_are_refused(typed: str) -> None:
    assert refusal(typed).endswith("is not a valid phone number")


@pytest.mark.parametrize("typed", ["650 253 0000 ext. 123", "650-253-0000 x1", "6502530000;ext=5"])
def test_extensions_are_refused(typed: str) -> None:
    assert "extension" in refusal(typed)


@pytest.mark.parametrize(
    "typed", ["(416) 555-0199", "+52 55 1234 5678", "787-555-0100", "+44 7400 123456"]
)
def test_numbers_of_countries_not_served_are_refused(typed: str) -> None:
    assert refusal(typed).endswith("is not a number of US")


def test_a_program_may_serve_further_countries() -> None:
    assert parse_number("(416) 555-0199", regions=("US", "CA")) == "+14165550199"
    assert parse_number("07400 123456", regions=("GB",)) == "+447400123456"


@pytest.mark.parametrize(("typed", "region"), [("020 7031 3000", "GB"), ("800-356-9377", "US")])
def test_landlines_and_toll_free_numbers_cannot_receive_texts(typed: str, region: str) -> None:
    assert refusal(typed, regions=(region,)).endswith("cannot receive texts")


def test_the_recorded_verdicts_decide(shared_data: Path) -> None:
    rows = json.loads((shared_data / "vectors" / "phones_us.json").read_text("utf-8"))["rows"]
    assert rows
    for row in rows:
        fit = row.get("valid") and row["region"] == "US" and not row["extension"]
        if fit and row["type"] in TEXTABLE:
            assert parse_number(row["input"]) == row["e164"], row["input"]
        else:
            refusal(row["input"])


@given(st.text(max_size=30))
def test_whatever_is_typed_gives_a_number_or_a_refusal(typed: str) -> None:
    try:
        parsed = parse_number(typed)
    except InvalidInputError:
        return
    assert parse_number(parsed) == parsed


@given(DIGITS)
def test_a_mask_shows_the_last_four_digits_only(number: str) -> None:
    assert mask(number) == f"•••-•••-{number[-4:]}"


def test_a_key_is_the_keyed_hash_of_the_number() -> None:
    # hmac.new(b"secret", b"+12024561111", "sha256"), as any other tool would compute it.
    expected = "04f439fd1b3be51c88126704346e5c864ced86e8c7bbe96d4e104f35a6672fe8"
    key = number_key(b"secret", WHITE_HOUSE)
    assert len(key) == 32
    assert key == number_key(b"secret", WHITE_HOUSE)
    assert key.hex() == expected


@given(DIGITS, DIGITS)
def test_keys_differ_by_number_and_by_secret(one: str, other: str) -> None:
    assert (number_key(b"a", one) == number_key(b"a", other)) == (one == other)
    assert number_key(b"a", one) != number_key(b"b", one)


@given(st.binary(min_size=32, max_size=32))
def test_a_lock_key_fits_a_signed_64_bit_integer(key: bytes) -> None:
    assert -(2**63) <= lock_key(key) < 2**63
    assert lock_key(key).to_bytes(8, "big", signed=True) == key[:8]
