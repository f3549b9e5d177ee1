"""Choices: by letter or number in any dress, by label, by alias, with a comment or without."""

import re
from functools import cache

from service.domain.polls import Choice, Question
from service.domain.reading.ballots import Ballot, ballot_of, class_choice, core_of
from service.domain.reading.fillers import stripped
from service.domain.reading.normalise import Typed, strip_edges
from service.domain.reading.slips import one_edit_apart
from service.domain.reading.values import Expected, Label, Reading
from service.domain.reading.words import words
from service.domain.reading.yes_no import sign_of

_PLACES = (
    ("first", "1st", "one"), ("second", "2nd", "two"), ("third", "3rd", "three"),
    ("fourth", "4th", "four"), ("fifth", "5th", "five"), ("sixth", "6th", "six"),
    ("seventh", "7th", "seven"), ("eighth", "8th", "eight"),
)  # fmt: skip
_ORDINALS = {word: place for place, names in enumerate(_PLACES, 1) for word in names}
_JOINING = frozenset(
    {"and", "or", "no", "wait", "y", "o", "maybe", "then", "also", "plus", "mean", "i"}
)
_LEADING_MARK = re.compile(
    r"[\s\"'“‘(\[#]*(?:(?:option|choice|answer|letter|number|opci[oó]n|respuesta)\s*[:#-]?\s*)?"
    r"([A-Za-z]|\d{1,2})(?![\w'’])(?!\s*[&/+]|[.,:]\d)(\s*[()\[\]\"'“”‘’.,:;!=–—-]+\s*|\s+)(?=\S)(.*)\Z",
    re.S | re.I,
)
_SHORTEST_SLIP = 5
_SHORTEST_PREFIX = 3
_LONGEST_NAMED_INSIDE = 8


def read_choice(expected: Expected, typed: Typed) -> Reading | None:
    """The one choice that ``typed`` names, or ``None``; two named are none."""
    question = expected.question
    ballot = ballot_of(question)
    found = _whole(ballot, typed)
    loosely = not expected.whole_message and not typed.asks
    if found is None and loosely and not _contradicts_itself(ballot, typed):
        found = _with_comment(ballot, typed) or _partial(ballot, typed)
        found = found or _by_sign(question, typed)
    if found is None:
        return None
    choice, rule, comment = found
    return Reading(Label.ANSWER, rule, question.position, choice=choice.label, comment=comment)


_Found = tuple[Choice, str, str]


def _whole(ballot: Ballot, typed: Typed) -> _Found | None:
    """A label, an alias, a letter or a number, with nothing but courtesies beside it."""
    named = ballot.named(typed)
    if named:
        return named, "choice label", ""
    if typed.asks or not typed.tokens or len(typed.tokens) > 12:
        return None
    core = _core(typed)
    named = ballot.normal.get(" ".join(core))
    if named:
        return named, "choice label", ""
    if len(core) == 1:
        marked = _marked(ballot, core[0])
        if marked:
            return marked, "choice letter or number", ""
    return None


def _core(typed: Typed) -> list[str]:
    tokens = typed.normal.split()
    return stripped(tokens, ("choice_filler",), ("choice_filler",)) or tokens


def _marked(ballot: Ballot, word: str) -> Choice | None:
    """The choice at a letter, a number or "second" of the ballot."""
    if word == "last":
        return ballot.choices[-1]
    if word.isdecimal() or word in _ORDINALS:
        index = _ORDINALS.get(word) or (int(word) if ballot.numbered and len(word) <= 2 else 0)
        return ballot.choices[index - 1] if 0 < index <= len(ballot.choices) else None
    return next((c for c in ballot.choices if c.letter.casefold() == word), None)


def _with_comment(ballot: Ballot, typed: Typed) -> _Found | None:
    """A letter, number or label that opens the text; the rest is the comment."""
    return _leading_mark(ballot, typed) or _leading_label(ballot, typed)


def _leading_mark(ballot: Ballot, typed: Typed) -> _Found | None:
    """As in "B - because …"; a bare space is enough only before a reason or that label."""
    found = _LEADING_MARK.match(typed.tidied)
    choice = _marked(ballot, found[1].casefold()) if found else None
    if found is None or choice is None:
        return None
    comment = strip_edges(found[3])
    rest = Typed(comment)
    if _opens_with_mark(ballot, rest):
        return None
    named = _named_after_mark(ballot, rest)
    if named == [choice] and len(rest.tokens) <= _LONGEST_NAMED_INSIDE:
        return choice, "choice letter or number", ""
    if found[2].strip() or rest.tokens[:1] == [] or rest.tokens[0] in words("reasons"):
        return choice, "choice letter or number", comment
    return None


def _named_after_mark(ballot: Ballot, rest: Typed) -> list[Choice]:
    return _all_named(ballot, rest.tokens) or _shortened(ballot, core_of(rest.tokens))


def _contradicts_itself(ballot: Ballot, typed: Typed) -> bool:
    """Whether the letter says one choice and the words beside it another: "A. Burnout"."""
    found = _LEADING_MARK.match(typed.tidied)
    choice = _marked(ballot, found[1].casefold()) if found else None
    if found is None or choice is None:
        return False
    rest = Typed(found[3])
    if len(rest.tokens) > _LONGEST_NAMED_INSIDE:
        return False
    return any(other is not choice for other in _named_after_mark(ballot, rest))


def _opens_with_mark(ballot: Ballot, rest: Typed) -> bool:
    """Whether a second letter or number follows: "1, 2", "A and B", "A no wait B"."""
    tokens = rest.tokens[:5]
    start = next((at for at, word in enumerate(tokens) if word not in _JOINING), len(tokens) - 1)
    if start < 0 or _marked(ballot, tokens[start]) is None:
        return False
    following = tokens[start + 1 : start + 2]
    parted = start < len(rest.opening) and bool(rest.opening[start].breaks)
    return (
        not following
        or parted
        or (tokens[start].isdecimal() and start == 0)
        or following[0] in _JOINING
        or _marked(ballot, following[0]) is not None
    )


def _leading_label(ballot: Ballot, typed: Typed) -> _Found | None:
    if ballot.vocabulary.isdisjoint(typed.tokens):
        return None
    named = _all_named(ballot, typed.tokens[: len(typed.opening)])
    length = _opening_label_length(ballot, typed)
    if len(named) != 1 or not length or _denied(_first_clause(typed), named[0], ballot):
        return None
    return named[0], "choice label", typed.rest(length)


def _first_clause(typed: Typed) -> list[str]:
    clause = []
    for word in typed.opening[:_LONGEST_NAMED_INSIDE]:
        clause.append(word.normal)
        if word.breaks and word.breaks not in ("&", "/", "+"):
            break
    return clause


def _opening_label_length(ballot: Ballot, typed: Typed) -> int:
    normals = [word.normal for word in typed.opening]
    skipped = len(normals) - len(stripped(normals, ("choice_filler",), ()))
    for length in range(min(len(normals) - skipped, 8), 0, -1):
        core = core_of(normals[skipped : skipped + length])
        if any(core == name and length >= len(name) for name, _ in ballot.cores):
            return skipped + length
    return 0


def _positions(name: tuple[str, ...], core: tuple[str, ...]) -> list[range]:
    size = len(name)
    return [
        range(at, at + size) for at in range(len(core) - size + 1) if core[at : at + size] == name
    ]


def _all_named(ballot: Ballot, tokens: list[str]) -> list[Choice]:
    """The choices whose whole label stands in ``tokens``; a longer label covers a shorter one."""
    if ballot.vocabulary.isdisjoint(tokens):
        return []
    core, covered, found = core_of(tokens), set[int](), list[Choice]()
    for name, choice in sorted(ballot.cores, key=lambda pair: -len(pair[0])):
        if len(name) == 1 and (len(name[0]) < 2 or name[0] in _vote_words()):
            continue
        for places in _positions(name, core):
            if covered.isdisjoint(places):
                covered.update(places)
                if choice not in found:
                    found.append(choice)
    return found


@cache
def _vote_words() -> frozenset[str]:
    return words("yes_leading") | words("no_leading") | words("yes") | words("no")


def _denied(tokens: list[str], choice: Choice, ballot: Ballot) -> bool:
    """Whether a word such as "not" or "but", which is no part of the label, turns it round."""
    own = {word for name, named in ballot.cores if named is choice for word in name}
    return not (words("choice_denials") - own).isdisjoint(tokens)


def _partial(ballot: Ballot, typed: Typed) -> _Found | None:
    """Less than a label, or more: a unique beginning, one word of it, a slip, a short sentence."""
    core = core_of(_core(typed))
    found = _shortened(ballot, core)
    if len(found) == 1 and not _denied(typed.tokens, found[0], ballot):
        return found[0], "choice shortened", ""
    if found:
        return None
    slip = _slips(ballot, " ".join(core))
    if len(slip) == 1:
        return slip[0], "choice misspelled", ""
    if len(typed.tokens) > _LONGEST_NAMED_INSIDE:
        return None
    inside = _all_named(ballot, typed.tokens)
    if len(inside) == 1 and not _denied(typed.tokens, inside[0], ballot):
        return inside[0], "choice label inside", typed.tidied
    return None


def _distinct(choices: list[Choice]) -> list[Choice]:
    return [c for at, c in enumerate(choices) if c not in choices[:at]]


def _shortened(ballot: Ballot, core: tuple[str, ...]) -> list[Choice]:
    """The choices whose label begins with these words; else with these letters; else holds them."""
    if not core or len(core) > 5:
        return []
    size, typed = len(core), " ".join(core)
    if len(typed) < _SHORTEST_PREFIX and typed not in ("no", "it", "hr"):
        return []
    whole = _distinct([c for name, c in ballot.cores if name[:size] == core])
    if whole or len(typed) < _SHORTEST_PREFIX:
        return whole
    begun = _distinct([c for name, c in ballot.cores if " ".join(name).startswith(typed)])
    if begun or len(typed) < _SHORTEST_SLIP - 1:
        return begun
    inside = [(name, c) for name, c in ballot.cores if _positions(core, name)]
    if any(not words("choice_denials").isdisjoint(name) for name, _ in inside):
        return []
    return _distinct([c for _, c in inside])


def _slips(ballot: Ballot, typed: str) -> list[Choice]:
    """The choices whose label of five letters or more is one slip away."""
    if len(typed) < _SHORTEST_SLIP - 1:
        return []
    names = [(" ".join(name), choice) for name, choice in ballot.cores]
    return _distinct(
        [
            choice
            for name, choice in names
            if len(name) >= _SHORTEST_SLIP and one_edit_apart(typed, name)
        ]
    )


def _by_sign(question: Question, typed: Typed) -> _Found | None:
    """Yes, no, unsure or "not applicable" in other words, where the ballot holds such a choice."""
    sign = sign_of(typed)
    if sign is None or sign.label is Label.UNCLEAR:
        return None
    if sign.label is Label.ANSWER:
        choice = next((c for c in question.choices if c.label.casefold() == sign.vote), None)
    else:
        choice = class_choice(question, sign.label)
    return (choice, sign.rule, sign.comment) if choice else None
