"""One shape for the many ways of typing the same words."""

import base64
import binascii
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_APOSTROPHES = re.compile("['’‘ʼ`´′]")
_INVISIBLE = re.compile(
    "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff\U0001f3fb-\U0001f3ff\x00]"
)
_DEVICES = (
    "iphone|ipad|android|samsung|galaxy|pixel|motorola|nokia|blackberry|verizon|t-?mobile|at&t"
    "|outlook|yahoo|gmail|proton|mobile|cell|phone|telefono|teléfono|telephone|téléphone|tablet|car"
)
_SIGNATURE = re.compile(
    r"(?:\b(?:sent|enviado|envoyé|envoye) (?:from|via|with|using|desde|de|depuis)"
    rf"|\bget (?=outlook for)) ?(?:(?:my|mi|mon|the|an?) )?(?:{_DEVICES})\b[^\n]{{0,60}}\s*\Z",
    re.I,
)
_SIGNED = re.compile("sent |outlook|enviado|envoy", re.I)
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$\n?", re.M)
_NOT_WORD = re.compile(r"[\W_]+")
_WORD = re.compile(r"[^\W_]+(?:['’‘ʼ`´′][^\W_]+)*")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_PLACED = 9
_CLAUSE_MARK = "\x1f"
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")


def _from_base64(text: str) -> str:
    """The words of a long MMS text that arrived as base64; any other text as it is.

    Forty characters without a space whose bytes are a sentence are no accident: no word of a
    living language decodes to one.
    """
    if len(text) < 40:
        return text
    packed = "".join(text.split())
    if len(packed) % 4 or not _BASE64.fullmatch(packed) or " " in text.strip():
        return text
    try:
        words = base64.b64decode(packed, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return text
    plain = sum(c.isalpha() or c in " .,;:!?'\"-\r\n" or c.isdigit() for c in words)
    return words if " " in words.strip() and plain >= 0.9 * len(words) else text


def tidy(text: str) -> str:
    r"""The text as a person would want it quoted.

    Without invisible characters, the lines it quotes and a phone's signature; a long MMS text
    that arrived as base64 is decoded.

    >>> tidy("Mentoring program.\n\nSent from my iPhone")
    'Mentoring program.'
    >>> tidy("> Reply YES or NO.\nYes")
    'Yes'
    """
    text = _from_base64(text)
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    elif "\x00" in text:
        text = text.replace("\x00", "")
    if ">" in text:
        text = _QUOTED_LINE.sub("", text).strip() or text
    if _SIGNED.search(text):
        text = _SIGNATURE.sub("", text)
    return text.strip()


def fold(tidied: str) -> str:
    """A tidied text without case, accents and apostrophes."""
    if tidied.isascii():
        return tidied.replace("'", "").replace("`", "").lower()
    text = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", tidied).casefold())
    return "".join(c for c in text if not unicodedata.combining(c))


def normalise(text: str) -> str:
    """Lower-case words without accents, apostrophes or punctuation, one space between.

    >>> normalise("  Don’t  STOP!! ")
    'dont stop'
    >>> normalise("Arrêt.")
    'arret'
    """
    return _NOT_WORD.sub(" ", fold(tidy(text))).strip()


def clauses_of(tidied: str, end: re.Pattern[str]) -> list[str]:
    """The clauses of a tidied text, each normalised; ``end`` says what parts them."""
    folded = fold(end.sub(_CLAUSE_MARK, tidied))
    clauses = (_NOT_WORD.sub(" ", clause).strip() for clause in folded.split(_CLAUSE_MARK))
    return [clause for clause in clauses if clause]


def squeeze(normal: str) -> str:
    """Letters that are stretched for emphasis, once: ``yesss`` is ``yes``.

    >>> squeeze("nooooo thanks")
    'no thanks'
    """
    return _STRETCHED.sub(r"\1", normal)


@lru_cache(maxsize=16384)
def _plain(word: str) -> str:
    """One word as the lists have it. The words people text repeat, so it pays to remember."""
    return squeeze(fold(word))


class Word(NamedTuple):
    """One word as typed, with the place where it ends.

    Attributes:
        breaks: what stands between this word and the next, if more than spaces or a hyphen.
        hyphened: whether a hyphen ties it to the next: ``one-on-one``.
    """

    normal: str
    end: int
    breaks: str
    hyphened: bool = False


class Typed:
    """A text in the shapes that the rules look at, each made once.

    Attributes:
        tidied: as a person would want it quoted.
        normal: its words only.
        calm: the same, letters stretched for emphasis once.
        tokens: the words of ``calm``.
    """

    def __init__(self, text: str) -> None:
        self.tidied = tidy(text)
        self.normal = _NOT_WORD.sub(" ", fold(self.tidied)).strip()
        self.calm = squeeze(self.normal)
        self.tokens = self.calm.split()
        self._opening: tuple[Word, ...] | None = None

    @property
    def opening(self) -> tuple[Word, ...]:
        """The first words with their places, for rules that need what follows them."""
        if self._opening is None:
            self._opening = self._placed()
        return self._opening

    def _placed(self) -> tuple[Word, ...]:
        found = []
        places = [*_iterate(self.tidied, _PLACED + 1)]
        for number, match in enumerate(places[:_PLACED]):
            after = places[number + 1].start() if number + 1 < len(places) else len(self.tidied)
            gap = self.tidied[match.end() : after]
            tied = gap in ("-", "‐", "‑")
            breaks = "" if tied else gap.strip()
            found.append(Word(_plain(match[0]), match.end(), breaks, tied))
        return tuple(found)

    def rest(self, used: int) -> str:
        """What was typed after the first ``used`` words of :attr:`opening`."""
        return strip_edges(self.tidied[self.opening[used - 1].end :])

    @property
    def asks(self) -> bool:
        """Whether it ends with a question mark."""
        return self.tidied.endswith("?")


def _iterate(text: str, most: int) -> list["re.Match[str]"]:
    found = []
    for match in _WORD.finditer(text):
        found.append(match)
        if len(found) == most:
            break
    return found


def strip_edges(words: str) -> str:
    """A comment without the marks that parted it from the vote.

    >>> strip_edges(" - we have a coach.")
    'we have a coach.'
    """
    return words.lstrip(" \t\r\n.,;:!)]}\"”’'–—=/|-…").strip()


@lru_cache(maxsize=4096)
def normalise_once(text: str) -> str:
    """:func:`normalise` for the few texts that come again and again: labels, brands."""
    return normalise(text)
