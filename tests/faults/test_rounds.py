"""A short run of the fault rounds: killed, cut off and lied to, nobody twice and nobody lost."""

from pathlib import Path

import pytest

from tests.faults.plan import KILLS, draw_plan
from tests.faults.rounds import run_rounds


def test_a_plan_is_the_same_for_the_same_seed_and_kills_at_least_twice() -> None:
    plans = [draw_plan(1, number) for number in range(100)]
    assert plans == [draw_plan(1, number) for number in range(100)]
    assert plans != [draw_plan(2, number) for number in range(100)]
    assert min(sum(trouble.kind in KILLS for trouble in plan) for plan in plans) >= 2


@pytest.mark.timeout(300)
async def test_two_rounds_of_trouble_double_and_lose_nothing(tmp_path: Path) -> None:
    sums = await run_rounds(
        tmp_path / "stage",
        rounds=2,
        members=400,
        seed=4,
        keep=tmp_path / "kept",
    )
    assert sums.is_clean, vars(sums)
    assert (sums.rounds, sums.texts > 700, sums.kills >= 4) == (2, True, True)
