"""Join words and the names that addresses are built from."""

import re
from dataclasses import dataclass

from service.errors import InvalidInputError

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_WORD = re.compile(r"[A-Z][A-Z0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Keyword:
    """A join word and the campaign it belongs to.

    >>> parse_keyword("stat:newsletter")
    Keyword(word='STAT', campaign='newsletter')
    """

    word: str
    campaign: str


def parse_keyword(typed: str) -> Keyword:
    """``WORD`` or ``WORD:CAMPAIGN`` as typed at the command line.

    Raises:
        InvalidInputError: not one word of 2 to 20 letters and digits.
    """
    word, _, campaign = typed.partition(":")
    word = word.strip().upper()
    if not _WORD.fullmatch(word):
        raise InvalidInputError(f"keyword {typed!r}: one word of 2 to 20 letters and digits")
    return Keyword(word, campaign.strip() or word.lower())
