"""Yes and no, and what only looks like them."""

from dataclasses import dataclass
from functools import cache

from service.domain.polls import Question
from service.domain.reading.ballots import ballot_of, class_choice
from service.domain.reading.courtesies import is_courtesy
from service.domain.reading.fillers import opening_length, stripped
from service.domain.reading.normalise import Typed, Word
from service.domain.reading.optouts import may_be_opt_out
from service.domain.reading.values import Expected, Label, Reading
from service.domain.reading.words import pattern, words

_LONGEST_PARTLY = 8
_LONGEST_WHOLE = 12
_WORDS_OF_DOUBT = 14
_WORDS_BEFORE_VOTE = 7


@dataclass(frozen=True, slots=True)
class Sign:
    """A vote or a doubt found in a text.

    Attributes:
        label: ``ANSWER``, ``UNSURE``, ``NOT_APPLICABLE``, or ``UNCLEAR`` for a trap.
        vote: ``yes`` or ``no`` for an answer.
    """

    label: Label
    rule: str
    vote: str = ""
    comment: str = ""


_TRAP = Sign(Label.UNCLEAR, "neither yes nor no")


def _vote(vote: str, rule: str, comment: str = "") -> Sign:
    return Sign(Label.ANSWER, rule, vote, comment)


def read_yes_no(expected: Expected, typed: Typed) -> Reading | None:
    """The vote in ``typed``, or ``None`` where it is not plainly one."""
    question = expected.question
    named = ballot_of(question).named(typed)
    if named:
        # "yes" and "no" themselves: the rule says which word it was.
        sign = whole_sign(typed)
        rule = sign.rule if sign and sign.vote == named.label else "ballot label"
        return Reading(Label.ANSWER, rule, question.position, choice=named.label)
    sign = _direct_sign(typed) if expected.whole_message else sign_of(typed)
    if sign is None or sign.label is Label.UNCLEAR:
        return None
    return _reading(question, sign, whole_message=expected.whole_message)


def _reading(question: Question, sign: Sign, *, whole_message: bool) -> Reading | None:
    label: str | None
    if sign.label is Label.ANSWER:
        voted = question.choice_labelled(sign.vote)
        label = voted.label if voted else sign.vote
    else:
        # Beside an open question only what stands on the ballot is a direct answer to this one.
        standing = class_choice(question, sign.label)
        if standing is None and whole_message:
            return None
        label = standing.label if standing else None
    return Reading(sign.label, sign.rule, question.position, choice=label, comment=sign.comment)


def sign_of(typed: Typed) -> Sign | None:
    """What a text says to a yes/no question, whatever its ballot.

    The order is the rule: whole words and emoji, doubt and traps, a leading word with comment.
    """
    return whole_sign(typed) or _doubt(typed) or _leading(typed)


def _direct_sign(typed: Typed) -> Sign | None:
    """A whole-message vote that says yes or no itself.

    "Never" or "not yet" may as well answer the open question that waits.
    """
    sign = whole_sign(typed)
    if sign is None or sign.label is not Label.ANSWER or not typed.tokens:
        return sign
    said = words(f"{sign.vote}_leading") | words(f"{sign.vote}_letter")
    return None if said.isdisjoint(typed.tokens) else sign


def whole_sign(typed: Typed) -> Sign | None:
    """A vote or a doubt that is the whole text, courtesies aside."""
    if not typed.tokens:
        return _emoji_sign(typed.tidied)
    if typed.asks or len(typed.tokens) > _LONGEST_WHOLE:
        return None
    if typed.calm in words("whole_traps"):
        return _TRAP
    core = stripped(typed.tokens, ("vote_filler",), ("vote_courtesy",))
    # "n" and "y" are short for other words too: a bare letter must open the text.
    if core and core[0] != typed.tokens[0] and len(core[0]) == 1:
        core = []
    for normal in (typed.calm, " ".join(core)):
        sign = _word_sign(normal)
        if sign:
            return sign
    return None


def _word_sign(normal: str) -> Sign | None:
    if normal in words("na"):
        return Sign(Label.NOT_APPLICABLE, "not applicable phrase")
    if normal in words("unsure"):
        return Sign(Label.UNSURE, "unsure phrase")
    if normal in words("traps"):
        return _TRAP
    for vote in ("no", "yes"):
        if normal in words(f"{vote}_leading") or normal in words(vote):
            return _vote(vote, f"{vote} word")
    return None


def _emoji_sign(tidied: str) -> Sign | None:
    shown = [v for v in ("yes", "no") if any(e in tidied for e in words(f"{v}_emoji"))]
    return _vote(shown[0], f"{shown[0]} emoji") if len(shown) == 1 else None


def _doubt(typed: Typed) -> Sign | None:
    """Unsure, not applicable or partly, at the start of a text, also after a bare vote."""
    tokens = typed.tokens[:_WORDS_OF_DOUBT]
    start = _filler_length(tokens)
    head = " ".join(tokens[start:])
    if _opens("na_phrases", head):
        return Sign(Label.NOT_APPLICABLE, "not applicable phrase")
    if _opens("unsure_phrases", head) or _takes_back(tokens[start:]):
        comment = typed.tidied if len(typed.tokens) > _LONGEST_PARTLY else ""
        return Sign(Label.UNSURE, "unsure phrase", comment=comment)
    if len(typed.tokens) <= _LONGEST_PARTLY and opening_length(tokens, "partly", start=start):
        return _TRAP
    return None


def _takes_back(tokens: list[str]) -> bool:
    """Whether a doubt follows the vote at once: "no, I'm not sure", "yes maybe"."""
    for vote in ("no", "yes"):
        length = opening_length(tokens, f"{vote}_leading")
        rest = " ".join(tokens[length:])
        # "Yes, I don't know how we did without it" is still a yes.
        if length and _opens("unsure_phrases" if vote == "no" else "doubts_a_yes", rest):
            return True
    return False


def _filler_length(tokens: list[str]) -> int:
    start = 0
    while length := opening_length(tokens, "vote_filler", start=start):
        start += length
    return start


def _opens(name: str, head: str) -> bool:
    return pattern(name).match(head) is not None


def _after_filler(opening: tuple[Word, ...]) -> int:
    normals = [word.normal for word in opening]
    start = 0
    while length := _unbroken(opening, normals, start, "vote_filler"):
        start += length
    return start


def _unbroken(opening: tuple[Word, ...], normals: list[str], start: int, *lists: str) -> int:
    """Length of the longest phrase of ``lists`` at ``start`` that no punctuation parts."""
    length = opening_length(normals, *lists, start=start)
    while length > 1 and any(word.breaks for word in opening[start : start + length - 1]):
        whole = normals[: start + length - 1]
        length = opening_length(whole, *lists, start=start)
    return length


def _leading(typed: Typed) -> Sign | None:
    """The vote that opens a text; the rest is the comment."""
    if not _may_vote(typed.tokens[:_WORDS_BEFORE_VOTE]):
        return None
    opening = typed.opening
    normals = [word.normal for word in opening]
    start = _after_filler(opening)
    skipped = _unbroken(opening, normals, start, "vote_openings")
    for begin in {start + skipped: None, start: None}:
        found = _vote_at(typed, normals, begin)
        if found:
            return found
    return None


def _vote_at(typed: Typed, normals: list[str], start: int) -> Sign | None:
    opening = typed.opening
    if start >= len(opening):
        return None
    trap = _unbroken(opening, normals, start, "traps")
    # "No one-on-one coaching" is no "no one".
    if trap and not opening[start + trap - 1].hyphened:
        return _TRAP
    for vote in ("no", "yes"):
        length = _unbroken(opening, normals, start, f"{vote}_leading")
        if length or _glued(normals[start], vote):
            return _with_comment(typed, normals, start + (length or 1), vote)
        if _letter_with_reason(opening, normals, start, vote):
            return _with_comment(typed, normals, start + 1, vote)
        length = _unbroken(opening, normals, start, vote)
        if length and _ends_clause(opening[start + length - 1]):
            return _with_comment(typed, normals, start + length, vote)
    return None


def _ends_clause(word: Word) -> bool:
    return bool(word.breaks) and word.breaks[0] in ",.;:!-–—("


def _letter_with_reason(
    opening: tuple[Word, ...], normals: list[str], start: int, vote: str
) -> bool:
    if normals[start] not in words(f"{vote}_letter"):
        return False
    following = normals[start + 1] if start + 1 < len(normals) else ""
    return _ends_clause(opening[start]) or following in words("after_letter")


def _may_vote(tokens: list[str]) -> bool:
    """A quick look: most texts that are no vote need none of their words placed."""
    if not _vote_openers().isdisjoint(tokens):
        return True
    return opening_length(tokens, "yes", "no", start=_filler_length(tokens)) > 0


@cache
def _vote_openers() -> frozenset[str]:
    phrases = (words(f"{vote}_{kind}") for vote in ("yes", "no") for kind in ("leading", "letter"))
    first = frozenset(phrase.split()[0] for group in phrases for phrase in group)
    return first | _glued_words("yes") | _glued_words("no")


@cache
def _glued_words(vote: str) -> frozenset[str]:
    return frozenset(vote + rest for rest in words("glued"))


def _glued(word: str, vote: str) -> bool:
    """Whether a vote and the next word were typed as one: ``yessure``, ``nothanks``."""
    return word in _glued_words(vote)


def _with_comment(typed: Typed, normals: list[str], used: int, vote: str) -> Sign | None:
    opening = typed.opening
    if "?" in opening[used - 1].breaks:
        return _TRAP
    if _names_a_number(opening, normals, used, vote) or _contradicts(opening, normals, used, vote):
        return _TRAP
    comment = typed.rest(used)
    if comment and is_courtesy(Typed(comment)):
        comment = ""
    short = len(normals) <= _LONGEST_PARTLY
    if comment and short and may_be_opt_out(Typed(comment), strictly=True):
        return _TRAP
    return _vote(vote, f"leading {vote}", comment)


def _names_a_number(opening: tuple[Word, ...], normals: list[str], used: int, vote: str) -> bool:
    """As in "No 1" or "no. 7": a number's name, not a vote."""
    return (
        vote == "no"
        and len(normals) == used + 1
        and normals[used].isdigit()
        and opening[used - 1].breaks in ("", ".", "#", ".#")
    )


def _contradicts(opening: tuple[Word, ...], normals: list[str], used: int, vote: str) -> bool:
    """Whether the other vote follows at once: "yes, no", "no wait yes"."""
    other = "no" if vote == "yes" else "yes"
    position = used
    if used < len(normals) and normals[used] in ("wait", "sorry", "or", "and", "oops"):
        position = used + 1
    if position >= len(normals) or _unbroken(opening, normals, position, "traps"):
        return False
    length = _unbroken(opening, normals, position, f"{other}_leading")
    ends = bool(length) and (
        position + length == len(normals) or bool(opening[position + length - 1].breaks)
    )
    return ends or (position > used and length > 0)
