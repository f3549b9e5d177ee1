"""One shape for the many ways of typing the same words."""

import re
import unicodedata

_APOSTROPHES = re.compile("['’‘ʼ`´]")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\ufe0e\ufe0f\u00ad\U0001f3fb-\U0001f3ff\x00]")
_SIGNATURE = re.compile(
    r"\s*\b(?:sent|get|enviado) (?:from|via|desde) (?:my|mi|outlook)\b.*\Z", re.I | re.S
)
_NOT_WORD = re.compile(r"[\W_]+")


def tidy(text: str) -> str:
    """The text as a person would want it quoted: no invisible characters, no phone signature."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return _SIGNATURE.sub("", text).strip()


def normalise(text: str) -> str:
    """Lower-case words without accents, apostrophes or punctuation, one space between.

    >>> normalise("  Don’t  STOP!! ")
    'dont stop'
    >>> normalise("Arrêt.")
    'arret'
    """
    text = _APOSTROPHES.sub("", tidy(text)).casefold()
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", bare).strip()
