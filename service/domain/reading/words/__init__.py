"""Word lists by language, merged: a member may text any of them.

Words are written as ``normalise`` leaves them. Lists of patterns may use the pieces under
``[parts]`` of their own file as ``{piece}``.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from service.domain.reading.normalise import fold

_LANGUAGES = ("en", "es", "fr", "pt", "world")
_PIECE = re.compile(r"\{([a-z_]+)\}")


@cache
def _language(code: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / f"{code}.toml").read_text("utf-8"))


@cache
def words(name: str) -> frozenset[str]:
    """All entries of one list, over every language."""
    entries = (entry for code in _LANGUAGES for entry in _language(code).get(name, ()))
    return frozenset(entry if entry.isascii() else fold(entry) for entry in entries)


@cache
def numerals() -> dict[str, int]:
    """Number words with their value, over every language."""
    found: dict[str, int] = {}
    for code in _LANGUAGES:
        found.update(_language(code).get("numerals", {}))
    return found


@cache
def alternatives(name: str) -> str:
    """The patterns of one list as one, longest first, with their pieces filled in."""
    found = [
        _filled(entry, _language(code).get("parts", {}))
        for code in _LANGUAGES
        for entry in _language(code).get(name, ())
    ]
    return "|".join(sorted(found, key=lambda pattern: (-len(pattern), pattern)))


def _filled(entry: str, parts: dict[str, str]) -> str:
    """``entry`` with its pieces, and theirs, in place."""
    while piece := _PIECE.search(entry):
        entry = entry.replace(piece[0], f"(?:{parts[piece[1]]})")
    return entry


@cache
def pattern(name: str, before: str = r"\b(?:", after: str = r")\b") -> re.Pattern[str]:
    """One list of patterns, compiled between ``before`` and ``after``."""
    return re.compile(before + alternatives(name) + after)
