"""Word lists by language, merged: a member may text any of them."""

import tomllib
from functools import cache
from importlib.resources import files

_LANGUAGES = ("en", "es", "fr")


@cache
def _language(code: str) -> dict[str, list[str]]:
    return tomllib.loads((files(__package__) / f"{code}.toml").read_text("utf-8"))


@cache
def words(name: str) -> frozenset[str]:
    """All entries of one list, over every language."""
    return frozenset(entry for code in _LANGUAGES for entry in _language(code).get(name, ()))
