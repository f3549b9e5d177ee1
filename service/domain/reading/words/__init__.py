"""Word lists by language, merged: a member may text any of them.

Words are written as ``normalise`` leaves them. Lists of patterns may use the pieces under
``[parts]`` of their own file as ``{piece}``.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

_LANGUAGES = ("en", "es", "fr", "pt")
_PIECE = re.compile(r"\{([a-z_]+)\}")


@cache
def _language(code: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / f"{code}.toml").read_text("utf-8"))


@cache
def words(name: str) -> frozenset[str]:
    """All entries of one list, over every language."""
    return frozenset(entry for code in _LANGUAGES for entry in _language(code).get(name, ()))


@cache
def numerals() -> dict[str, int]:
    """Number words with their value, over every language."""
    return {word: n for code in _LANGUAGES for word, n in _language(code).get("numerals", {}).items()}


@cache
def alternatives(name: str) -> str:
    """The patterns of one list as one, longest first, with their pieces filled in."""
    found = []
    for code in _LANGUAGES:
        parts: dict[str, str] = _language(code).get("parts", {})
        for entry in _language(code).get(name, ()):
            pattern = entry
            while _PIECE.search(pattern):
                pattern = _PIECE.sub(lambda piece, parts=parts: f"(?:{parts[piece[1]]})", pattern)
            found.append(pattern)
    return "|".join(sorted(found, key=lambda pattern: (-len(pattern), pattern)))


@cache
def pattern(name: str, before: str = r"\b(?:", after: str = r")\b") -> re.Pattern[str]:
    """One list of patterns, compiled between ``before`` and ``after``."""
    return re.compile(before + alternatives(name) + after)
