"""A question's ballot, prepared once for reading many replies against it."""

from dataclasses import dataclass
from functools import lru_cache

from service.domain.polls import Choice, Question
from service.domain.reading.normalise import Typed, normalise, squeeze, strip_edges, tidy
from service.domain.reading.values import Label
from service.domain.reading.words import words


def _exact(tidied: str) -> str:
    return strip_edges(tidied).rstrip(" .!,;:\"”’'…").casefold()


def core_of(tokens: list[str]) -> tuple[str, ...]:
    """Words that carry a label: without "the", "and", "of"."""
    small = words("small_words")
    return tuple(word for word in tokens if word not in small) or tuple(tokens)


@dataclass(frozen=True, slots=True)
class Ballot:
    """The names of every choice in the shapes that replies are compared with.

    Attributes:
        exact: labels and aliases as written, case aside.
        normal: the same as ``normalise`` leaves them; a name two choices share is left out.
        cores: the same without small words, with the choice each stands for.
        vocabulary: the words that any of the names holds.
        numbered: whether a bare digit may mean the position on the ballot.
    """

    choices: tuple[Choice, ...]
    exact: dict[str, Choice]
    normal: dict[str, Choice]
    cores: tuple[tuple[tuple[str, ...], Choice], ...]
    vocabulary: frozenset[str]
    numbered: bool

    def named(self, typed: Typed) -> Choice | None:
        """The choice whose label or alias is the whole text."""
        as_written = typed.tidied.casefold()
        found = self.exact.get(as_written) or self.exact.get(_exact(typed.tidied))
        if found or not typed.normal or typed.asks:
            return found
        return self.normal.get(typed.normal) or self.normal.get(typed.normal.replace(" ", ""))


@lru_cache(maxsize=1024)
def _prepared(choices: tuple[Choice, ...]) -> Ballot:
    exact: dict[str, Choice] = {}
    normal: dict[str, Choice | None] = {}
    cores = []
    for choice in choices:
        for name in (choice.label, *choice.aliases):
            # As written comes first, so that "C++" and "C" stay apart.
            exact[tidy(name).casefold()] = choice
            words_of_name = normalise(name)
            for key in {words_of_name, words_of_name.replace(" ", "")}:
                normal[key] = choice if normal.get(key, choice) is choice else None
            cores.append((core_of(squeeze(words_of_name).split()), choice))
    for choice in choices:
        for name in (choice.label, *choice.aliases):
            exact.setdefault(_exact(tidy(name)), choice)
    numbered = not any(name[0][:1].isdigit() for name, _ in cores if name)
    unique = {name: choice for name, choice in normal.items() if choice and name}
    named = tuple(pair for pair in cores if pair[0])
    vocabulary = frozenset(word for name, _ in named for word in name)
    return Ballot(choices, exact, unique, named, vocabulary, numbered)


def ballot_of(question: Question) -> Ballot:
    """The ballot of ``question``."""
    return _prepared(question.choices)


@lru_cache(maxsize=1024)
def _standing_for(choices: tuple[Choice, ...], label: Label) -> Choice | None:
    known = words(label.value)
    return next(
        (c for c in choices for name in (c.label, *c.aliases) if normalise(name) in known), None
    )


def class_choice(question: Question, label: Label) -> Choice | None:
    """The choice that stands for "unsure" or "not applicable" on this ballot, if any."""
    return _standing_for(question.choices, label)
