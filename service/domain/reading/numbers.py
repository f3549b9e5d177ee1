"""Numbers: digits with separators or words, with the question's unit, inside its range.

"About 12" and "12 or so" are taken as 12: the median and quartiles that are published do not
need more. A range or a bound ("5-10", "more than 10", "10+") names no number and is left to a
person, and so are "1.500" and "12,5", which mean different things in different countries.
"""

import re
from decimal import Decimal
from functools import lru_cache

from service.domain.polls import LARGEST_NUMBER, Question
from service.domain.reading.fillers import opening_length, stripped
from service.domain.reading.normalise import Typed, normalise, strip_edges
from service.domain.reading.values import Expected, Label, Reading
from service.domain.reading.words import numerals, words

_DIGITS = re.compile(
    r"(?P<currency>[$€£] ?)?(?<![\w.,])(?P<minus>[-−](?=[\d.]))?"
    r"(?P<value>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,12}(?:\.\d+)?|\.\d+)"
    r"(?P<scale> ?(?:k|m|mm|thousand|million|mil|millones)\b)?(?P<percent> ?%)?"
    r"(?P<ish>-?ish\b)?(?!\+|[.,/:-]?\d|\w|⁄)",
    re.I,
)
_SCALES = {"k": 1000, "thousand": 1000, "mil": 1000, "m": 10**6, "mm": 10**6, "million": 10**6}
_SCALES["millones"] = 10**6
_COMMENT_BREAK = re.compile(
    r"\s*(?:[.,;:!(]|\s[-–—]+\s|–|—)\s*(?=[^\W\d]|$)|\s*\n|\s+(?:because|since|but|and)\s", re.I
)
_THOUSANDS_OR_DECIMALS = re.compile(r"\d{1,3}(?:\.\d{3})+\Z")
_LONGEST_OPENING = 8


def read_number(expected: Expected, typed: Typed) -> Reading | None:
    """The one number ``typed`` gives, within the question's bounds, or ``None``."""
    question = expected.question
    if typed.asks:
        return None
    found = _in_digits(question, typed.tidied) or _in_words(question, typed)
    if found is None or not _in_range(question, found[0]):
        return None
    value, comment = found
    if comment and expected.whole_message:
        return None
    return Reading(Label.ANSWER, "number", question.position, number=value, comment=comment)


def _in_range(question: Question, value: Decimal) -> bool:
    if abs(value) >= LARGEST_NUMBER:
        return False
    low, high = question.minimum, question.maximum
    return (low is None or value >= low) and (high is None or value <= high)


def _in_digits(question: Question, tidied: str) -> tuple[Decimal, str] | None:
    text = tidied.strip(" .,;:!…\"'“”‘’()#~≈")
    if tidied.lstrip(" \"'“(~≈").startswith("."):
        text = "." + text
    found = _DIGITS.search(text)
    if found is None or (found["value"][0] != "0" and _THOUSANDS_OR_DECIMALS.match(found["value"])):
        return None
    if not _opens_a_number(text[: found.start()]):
        return None
    closing = _closing(question, text[found.end() :], found)
    return None if closing is None else (_value(found), closing)


def _opens_a_number(before: str) -> bool:
    tokens = normalise(before).split()
    marks = before.strip(" ~≈$€£:,.!-–—\"'“‘(#").casefold()
    return len(tokens) <= _LONGEST_OPENING and (
        not marks or not stripped(tokens, ("number_opening",), ())
    )


def _value(found: re.Match[str]) -> Decimal:
    value = Decimal(found["value"].replace(",", ""))
    scale = (found["scale"] or "").strip().casefold()
    value *= _SCALES.get(scale, 1)
    return -value if found["minus"] else value


def _closing(question: Question, after: str, found: re.Match[str]) -> str | None:
    """The comment after a number; ``None`` where what follows changes what it means."""
    cut = _COMMENT_BREAK.search(after)
    unit, comment = (after[: cut.start()], after[cut.start() :]) if cut else (after, "")
    if unit.strip(" .!\"'”’)~") and not normalise(unit):
        return None
    if found["currency"] and not _measures(question, "dollar_words"):
        return None
    tokens = normalise(unit).split()
    percent = found["percent"] or opening_length(tokens, "percent_words")
    if percent and not _measures(question, "percent_words"):
        return None
    return strip_edges(comment) if _is_unit(question, tuple(tokens)) else None


def _measures(question: Question, name: str) -> bool:
    """Whether the question may be answered in dollars, or in percent."""
    known, unit = words(name), normalise(question.unit)
    sign = "%" if name == "percent_words" else "$"
    if name == "dollar_words" and not unit:
        return True
    asked = set(normalise(question.text).split())
    return unit in known or sign in question.unit or sign in question.text or bool(asked & known)


@lru_cache(maxsize=4096)
def _stem(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 else word


def _is_unit(question: Question, tokens: tuple[str, ...]) -> bool:
    """Whether the words after a number are its unit, or nothing that changes it."""
    rest = stripped(list(tokens), ("number_closing",), ("number_closing",))
    for name in ("percent_words", "dollar_words"):
        length = opening_length(rest, name)
        if length and _measures(question, name):
            rest = stripped(rest[length:], ("number_closing",), ())
    if not rest:
        return True
    unit = normalise(question.unit).split()
    if unit:
        return [_stem(word) for word in rest] == [_stem(word) for word in unit]
    # Without a unit one plain noun is taken for what was asked about.
    return len(rest) == 1 and rest[0].isalpha() and rest[0] not in numerals()


def _in_words(question: Question, typed: Typed) -> tuple[Decimal, str] | None:
    """A number word up to one hundred: ``twenty-five``, ``a dozen``, ``treinta y cinco``."""
    if not typed.tokens or any(character.isdigit() for character in typed.normal):
        return None
    normals = [word.normal for word in typed.opening]
    start = len(normals) - len(stripped(normals, ("number_opening",), ()))
    if (
        start < len(normals)
        and normals[start] in ("a", "one", "un", "una")
        and (start + 1 < len(normals) and normals[start + 1] in ("hundred", "dozen", "docena"))
    ):
        start += 1
    value, used = _spelled(normals[start:])
    if not used:
        return None
    return _spelled_with_unit(question, typed, value, start + used)


def _spelled(tokens: list[str]) -> tuple[int, int]:
    """Value of the number words at the start, and how many they are."""
    known = numerals()
    if not tokens or tokens[0] not in known:
        return 0, 0
    value = known[tokens[0]]
    tail = tokens[2:3] if tokens[1:2] == ["y"] else tokens[1:2]
    if 20 <= value <= 90 and value % 10 == 0 and tail and 1 <= known.get(tail[0], 0) <= 9:
        return value + known[tail[0]], 3 if tokens[1] == "y" else 2
    return value, 1


def _spelled_with_unit(
    question: Question, typed: Typed, value: int, used: int
) -> tuple[Decimal, str] | None:
    opening = typed.opening
    length = len(opening)
    for end in range(used, length + 1):
        if end == length or _parts(opening[end - 1].breaks):
            break
    if any(word.normal in numerals() for word in opening[used:end]):
        return None
    tokens = tuple(word.normal for word in opening[used:end])
    if opening_length(list(tokens), "percent_words") and not _measures(question, "percent_words"):
        return None
    comment = typed.rest(end) if end < length else ""
    if comment and normalise(comment).split()[:1] and normalise(comment).split()[0] in numerals():
        return None
    return (Decimal(value), comment) if _is_unit(question, tokens) else None


def _parts(breaks: str) -> bool:
    return bool(breaks) and breaks[0] in ".,;:!(–—"
