"""When so many of a poll's texts fail that sending goes on only if a person says so."""

FEWEST_OUTCOMES = 50
"""Fewer say too little."""
FILTERED_PERCENT = 2


def fails_too_often(failed: int, outcomes: int, percent: int) -> bool:
    """Whether more than ``percent`` of the outcomes are failures, and there are enough to tell.

    >>> fails_too_often(10, 49, 20), fails_too_often(10, 50, 20), fails_too_often(11, 50, 20)
    (False, False, True)
    """
    return outcomes >= FEWEST_OUTCOMES and 100 * failed > percent * outcomes


def outcomes_to_count(failed: int, percent: int) -> int:
    """With this many outcomes, ``failed`` of them are not too many: counting can stop there."""
    return max(FEWEST_OUTCOMES, -(-100 * failed // percent))
