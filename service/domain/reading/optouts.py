"""Opt-outs: the whole message, one clause of it, or an explicit phrase inside it.

A stop-word anywhere in a text is no opt-out: half of the ordinary texts that hold one say
something else ("end of year", "we opt out of Medicare").
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from service.domain.reading.fillers import opening_length, without
from service.domain.reading.normalise import Typed, clauses_of
from service.domain.reading.slips import one_edit_apart, swapped_or_doubled
from service.domain.reading.words import alternatives, pattern, words

_CLAUSE_END = re.compile(r"[.!?,;:\n()]+|\s[-–—]+\s|[–—]")
_SHORT = 5
_LONGEST_WITH_FILLER = 16
_LONGEST_HELD = 10
_LONGEST_BEFORE_LAST = 10
_BEFORE_ANY_NUMBER = frozenset({"stop", "stopall", "unsubscribe", "unsub"})
_AS_LETTERS = str.maketrans("50", "so")


@cache
def _known() -> frozenset[str]:
    return words("opt_out")


@cache
def _compact() -> frozenset[str]:
    """Opt-out words however they are spaced: ``un subscribe``, ``s t o p``."""
    return frozenset(word.replace(" ", "") for word in _known() if len(word) >= 4)


@cache
def _vocabulary() -> frozenset[str]:
    return frozenset(word for known in _known() for word in known.split())


@cache
def _phrases() -> re.Pattern[str]:
    return re.compile(rf"(?:(?<=\s)|^)(?:{alternatives('opt_out_phrases')})")


@cache
def _footer() -> re.Pattern[str]:
    return pattern("footer_phrases", before=r"\A(?:", after=r")\Z")


@lru_cache(maxsize=4096)
def _misspelled(word: str) -> bool:
    """Whether one word can only be a misspelled opt-out word."""
    if word in words("not_misspelled"):
        return False
    if (
        word.startswith("uns")
        and 8 <= len(word) <= 14
        and "b" in word
        and word.endswith(("e", "b"))
    ):
        return True
    return any(
        swapped_or_doubled(word, known) or (len(known) >= 6 and one_edit_apart(word, known))
        for known in words("correctable")
    )


@dataclass(frozen=True, slots=True)
class Names:
    """What this program is called, dropped from "stop Acme Stat".

    Attributes:
        brand: normalised.
        keywords: upper case.
    """

    brand: str = ""
    keywords: frozenset[str] = frozenset()


_NO_NAMES = Names()


def _core(normal: str, names: Names) -> str:
    """``normal`` without the program's names, filler and numbers to text to."""
    if names.brand and names.brand in normal:
        normal = re.sub(rf"\b{re.escape(names.brand)}\b", " ", normal)
    kept = without(normal.split(), "filler")
    kept = [word for word in kept if word.upper() not in names.keywords]
    numbered = kept[:1] != [] and kept[0] in _BEFORE_ANY_NUMBER
    return " ".join(w for w in kept if not (w.isdigit() and (numbered or len(w) >= 5)))


def _is_word(normal: str) -> bool:
    """Whether this is an opt-out word, repeated, misspelled or oddly spaced."""
    if not normal:
        return False
    if normal in _known() or normal.replace(" ", "") in _compact():
        return True
    tokens = normal.split()
    if len(set(tokens)) == 1 and len(tokens) > 1:
        return _is_word(tokens[0])
    if len(tokens) > 1:
        return False
    return normal.translate(_AS_LETTERS) in _known() or _misspelled(normal)


def _may_be_word(tokens: list[str]) -> bool:
    """A quick look before the filler is dropped; misspelled words are sought in short texts."""
    if len(tokens) <= _SHORT:
        return True
    return len(tokens) <= _LONGEST_WITH_FILLER and not _vocabulary().isdisjoint(tokens)


def _whole_rule(typed: Typed, names: Names) -> str | None:
    if any(emoji in typed.tidied for emoji in words("stop_emoji")) and len(typed.tokens) <= 3:
        return "opt-out emoji"
    if _is_word(typed.calm):
        return "opt-out word"
    if not _may_be_word(typed.tokens):
        return None
    core = _core(typed.calm, names)
    # "No stop": the vote before an opt-out word is none.
    if _is_word(core) or core.removeprefix("no ") in words("opt_out_after_no"):
        return "opt-out word with filler"
    if _footer().match(core) or _footer().match(typed.calm):
        return "opt-out footer echoed"
    if not typed.tidied.isascii() and typed.calm in words("with_stop_gesture"):
        raised = any(emoji in typed.tidied for emoji in words("stop_gestures"))
        return "opt-out emoji" if raised and typed.calm not in ("no", "nope") else None
    return None


def _clause_rule(clauses: list[str], typed: Typed, names: Names) -> str | None:
    if len(clauses) < 2:
        return None
    first_mark = _CLAUSE_END.search(typed.tidied.lstrip(" .,;:!-"))
    asks = first_mark is not None and "?" in first_mark[0]
    if not asks and len(clauses[0].split()) <= 8 and _is_word(_core(clauses[0], names)):
        return "opt-out first clause"
    if typed.asks or len(typed.tokens) > _LONGEST_BEFORE_LAST:
        return None
    known = words("opt_out_last")
    if len(typed.tokens) <= _SHORT:
        known = known | words("opt_out_last_when_short")
    return "opt-out last clause" if _core(clauses[-1], names) in known else None


def opt_out_rule(typed: Typed, names: Names = _NO_NAMES) -> str | None:
    """Name of the opt-out rule that a text meets, or ``None``.

    Args:
        names: the program's, so that "stop Acme Stat" is no more than "stop".

    >>> opt_out_rule(Typed("Stop. This is Dr. Lee"))
    'opt-out first clause'
    >>> opt_out_rule(Typed("We opt out of Medicare")) is None
    True
    """
    rule = _whole_rule(typed, names)
    if rule:
        return rule
    signs = not words("opt_out_signs").isdisjoint(typed.tokens)
    if not signs and not (len(typed.tokens) <= 2 * _SHORT and _may_open(typed.tokens)):
        return None
    clauses = clauses_of(typed.tidied, _CLAUSE_END)
    rule = _clause_rule(clauses, typed, names)
    if rule or not signs:
        return rule
    found = _phrases().search(" ; ".join(clauses))
    # "No more texts?" asks; a person decides.
    if found and not (typed.asks and found[0].startswith("no more")):
        return "opt-out phrase"
    return None


def _may_open(tokens: list[str]) -> bool:
    """Whether the first word after filler could be an opt-out word, known or misspelled."""
    start = 0
    while length := opening_length(tokens, "filler", start=start):
        start += length
    if start >= len(tokens):
        return False
    return opening_length(tokens, "opt_out", start=start) > 0 or _misspelled(tokens[start])


def may_be_opt_out(typed: Typed, *, strictly: bool = False) -> bool:
    """Whether a short text that is nothing else should be held for a person.

    Args:
        strictly: only what hardly means anything else, for a question that takes any words.
    """
    tokens = typed.tokens
    if not tokens:
        return any(emoji in typed.tidied for emoji in words("stop_gestures"))
    if len(tokens) > _LONGEST_HELD:
        return False
    if len(tokens) <= 4 and _looks_misspelled(without(tokens, "filler")):
        return True
    if strictly:
        return len(tokens) <= 6 and pattern("held_answers").search(typed.calm) is not None
    if pattern("not_hold_phrases").search(typed.calm):
        return False
    if not words("hold_words").isdisjoint(tokens):
        return True
    return pattern("hold_phrases").search(typed.calm) is not None


def _looks_misspelled(core: list[str]) -> bool:
    if len(core) != 1 or len(core[0]) < 3 or core[0] in words("not_misspelled"):
        return False
    return any(one_edit_apart(core[0], known) for known in words("correctable"))
