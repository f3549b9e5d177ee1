"""The floors that reading must not fall below on the development texts."""

import pytest

from tests.score import DATA, figures, report

AT_LEAST = {"yes: counted right": 0.97, "no: counted right": 0.97, "caught": 0.80}
AT_MOST = {
    "wrong sign": 0.003,
    "unsure counted as yes/no": 0.015,
    "bare number or letter counted on a YES/NO poll": 0.0,
    "false votes": 0.001,
    '"no problem", "Y?" = why, "Yes?" counted': 0.15,
    "chatter": 0.0015,
    "chatter holding stop/cancel/quit/end": 0.01,
    "answers": 0.0,
    "look-alikes": 2 / 32,
    "counted as a vote": 0.0,
}


@pytest.fixture(scope="module")
def shares() -> dict[str, float]:
    if not (DATA / "score.py").exists():
        pytest.skip(f"the development texts are not beside this repository: {DATA}")
    return {title: hits / total for title, (hits, total) in figures(report()).items()}


@pytest.mark.parametrize(("title", "floor"), AT_LEAST.items())
def test_enough_is_read(shares: dict[str, float], title: str, floor: float) -> None:
    assert shares[title] >= floor


@pytest.mark.parametrize(("title", "most"), AT_MOST.items())
def test_little_is_misread(shares: dict[str, float], title: str, most: float) -> None:
    assert shares[title] <= most
