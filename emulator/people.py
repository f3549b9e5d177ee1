"""How simulated members behave: what they text after what they read, and when.

Pure: a member is made from a number, a seed and the wordings, is told what
arrives on the phone, and says what will be typed after how many seconds.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from random import Random
from typing import Final

from emulator.settings import Span


class Persona(StrEnum):
    """What a member does with a question."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "n/a"
    UNREADABLE = "unreadable"
    SILENT = "silent"
    LATE = "late"
    STOPS_INSTEAD = "stops instead"
    STOPS_AFTER = "stops after"
    CHANGES = "changes"
    TWICE = "twice"


# Of a thousand members. YES and NO stand 45 to 55, like the votes of those below.
SHARES: Final = {
    Persona.YES: 340,
    Persona.NO: 415,
    Persona.NOT_APPLICABLE: 40,
    Persona.UNREADABLE: 30,
    Persona.SILENT: 80,
    Persona.LATE: 30,
    Persona.STOPS_INSTEAD: 15,
    Persona.STOPS_AFTER: 10,
    Persona.CHANGES: 20,
    Persona.TWICE: 20,
}
YES_SHARE: Final = 0.45
FOLLOW_UP_SHARE: Final = 0.60
# Of those who answer the follow-up, how many do so in the text that holds the vote.
AT_ONCE_SHARE: Final = 0.15
OPPOSITE: Final = {"yes": "no", "no": "yes"}
# Second thoughts come in plain words, so that nobody could read them as a comment.
PLAIN: Final = {"yes": ("Yes", "YES", "yes"), "no": ("No", "NO", "no"), "na": ("N/A",)}
# Those who do not clear up what they said, having said nothing or something else.
MUTE: Final = frozenset({Persona.UNREADABLE, Persona.SILENT, Persona.STOPS_INSTEAD})

_CHOICE: Final = re.compile(r"Reply A\b([^.\n]*)")
_LETTER: Final = re.compile(r"\b[A-H]\b")
_LETTER_DRESSES: Final = ("{0}", "{0}", "{0}", "{1}", "{1}", "{1})", "{0}.", "{0})")


class Kind(StrEnum):
    """What a text of a member is for, for the counts."""

    JOIN = "join"
    ANSWER = "answer"
    ANSWER_WITH_REASON = "answer with reason"
    FOLLOW_UP = "follow-up"
    CHANGE = "change"
    REPEAT = "repeat"
    STOP = "stop"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Action:
    """A text that a member will type so many seconds from now."""

    delay_seconds: float
    body: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Wordings:
    """What people write, each wording with its weight."""

    lists: dict[str, tuple[list[str], list[int]]]

    @classmethod
    def load(cls) -> "Wordings":
        """Reads the wordings that come with the package."""
        text = files("emulator").joinpath("data/wordings.json").read_text(encoding="utf-8")
        raw: dict[str, list[dict[str, object]]] = json.loads(text)
        return cls(
            {
                name: (
                    [str(row["text"]) for row in rows],
                    [int(str(row["weight"])) for row in rows],
                )
                for name, rows in raw.items()
            }
        )

    def pick(self, name: str, random: Random) -> str:
        """Draws a wording by weight."""
        texts, weights = self.lists[name]
        return random.choices(texts, weights)[0]


def is_yes_no_question(text: str) -> bool:
    """Whether a member takes a text for a question with yes and no."""
    return "Reply YES" in text


def offered_letters(text: str) -> Sequence[str]:
    """The letters of a choice question, none if it is not one.

    >>> offered_letters("What hurts most? A) Staff B) Cost C) Time. Reply A, B or C.")
    ['A', 'B', 'C']
    """
    found = _CHOICE.search(text)
    if found is None:
        return []
    return sorted({"A", *_LETTER.findall(found.group(1))})


def has_stop_line(text: str) -> bool:
    """Whether a text ends the way polls do, which answers and greetings do not."""
    return text.rstrip().endswith("Reply STOP to opt out.")


@dataclass(slots=True)
class Member:
    """One simulated member and what they remember."""

    number: str
    persona: Persona
    random: Random
    joined: bool = False
    asked: bool = False
    waits: bool = False
    follow_up_due: bool = False
    choice: str = ""
    last_question: str = field(default="", repr=False)

    @classmethod
    def of(cls, number: str, seed: int) -> "Member":
        """The member of that number: the same person for the same seed."""
        random = Random(f"{seed}:{number}")
        persona = random.choices(list(SHARES), list(SHARES.values()))[0]
        return cls(number, persona, random)

    def read(self, text: str, wordings: Wordings, span: Span) -> list[Action]:
        """Takes in a text; says what will be typed because of it."""
        # Whoever joined just now is being greeted; an imported member never is.
        is_greeting = not self.joined and not has_stop_line(text)
        self.joined = True
        if is_greeting:
            return []
        letters = offered_letters(text)
        if letters or is_yes_no_question(text):
            if self.asked and not has_stop_line(text):
                return self._say_plainly(span)
            return self._read_question(text, letters, wordings, span)
        if self.follow_up_due and has_stop_line(text):
            self.follow_up_due = False
            return self._answer_follow_up(wordings, span)
        return []

    def answer_late(self, wordings: Wordings, span: Span) -> list[Action]:
        """What a late member types at last."""
        if not self.waits:
            return []
        self.waits = False
        return [self._answer(wordings, self._delay(span), may_give_reason=False)]

    def _delay(self, span: Span) -> float:
        return self.random.uniform(span.least, span.most)

    def _read_question(
        self, text: str, letters: Sequence[str], wordings: Wordings, span: Span
    ) -> list[Action]:
        if text == self.last_question:
            return []
        self.last_question, self.asked, self.follow_up_due = text, True, False
        self.choice = self._choose(letters)
        if self.persona is Persona.SILENT:
            return []
        if self.persona is Persona.LATE:
            self.waits = True
            return []
        delay_seconds = self._delay(span)
        if self.persona is Persona.STOPS_INSTEAD:
            return [Action(delay_seconds, wordings.pick("stop", self.random), Kind.STOP)]
        if self.persona is Persona.UNREADABLE:
            body = wordings.pick("unreadable", self.random)
            return [Action(delay_seconds, body, Kind.UNREADABLE)]
        return self._vote(letters, delay_seconds, wordings, span)

    def _say_plainly(self, span: Span) -> list[Action]:
        """Answers "we could not read your answer", unless the text before was none."""
        if self.persona in MUTE or self.waits or not self.choice:
            return []
        body = self.random.choice(PLAIN.get(self.choice, (self.choice,)))
        return [Action(self._delay(span), body, Kind.REPEAT)]

    def _choose(self, letters: Sequence[str]) -> str:
        if letters:
            return self.random.choice(letters)
        fixed = {Persona.YES: "yes", Persona.NO: "no", Persona.NOT_APPLICABLE: "na"}
        if self.persona in fixed:
            return fixed[self.persona]
        return "yes" if self.random.random() < YES_SHARE else "no"

    def _vote(
        self, letters: Sequence[str], delay_seconds: float, wordings: Wordings, span: Span
    ) -> list[Action]:
        # Who says more than one thing says each of them shortly.
        first = self._answer(wordings, delay_seconds, self.persona is Persona.YES)
        again_seconds = delay_seconds + self._delay(span)
        if self.persona is Persona.STOPS_AFTER:
            stop = wordings.pick("stop", self.random)
            return [first, Action(again_seconds, stop, Kind.STOP)]
        if self.persona is Persona.TWICE:
            return [first, Action(again_seconds, first.body, Kind.REPEAT)]
        if self.persona is Persona.CHANGES:
            return [first, self._second_thought(letters, again_seconds)]
        self.follow_up_due = first.kind is Kind.ANSWER and self.choice == "yes"
        return [first]

    def _second_thought(self, letters: Sequence[str], delay_seconds: float) -> Action:
        others = [letter for letter in letters if letter != self.choice]
        if others:
            self.choice = self.random.choice(others)
            return Action(delay_seconds, self.choice, Kind.CHANGE)
        self.choice = OPPOSITE[self.choice]
        return Action(delay_seconds, self.random.choice(PLAIN[self.choice]), Kind.CHANGE)

    def _answer(self, wordings: Wordings, delay_seconds: float, may_give_reason: bool) -> Action:
        if len(self.choice) == 1:
            dress = self.random.choice(_LETTER_DRESSES)
            body = dress.format(self.choice, self.choice.lower())
            return Action(delay_seconds, body, Kind.ANSWER)
        if self.persona in {Persona.TWICE, Persona.CHANGES, Persona.STOPS_AFTER}:
            return Action(delay_seconds, self.random.choice(PLAIN[self.choice]), Kind.ANSWER)
        if may_give_reason and self.random.random() < FOLLOW_UP_SHARE * AT_ONCE_SHARE:
            reason = wordings.pick("follow_up", self.random)
            body = f"Yes - {reason if reason[:2].isupper() else reason[0].lower() + reason[1:]}"
            return Action(delay_seconds, body, Kind.ANSWER_WITH_REASON)
        return Action(delay_seconds, wordings.pick(self.choice, self.random), Kind.ANSWER)

    def _answer_follow_up(self, wordings: Wordings, span: Span) -> list[Action]:
        share = FOLLOW_UP_SHARE * (1 - AT_ONCE_SHARE) / (1 - FOLLOW_UP_SHARE * AT_ONCE_SHARE)
        if self.random.random() >= share:
            return []
        body = wordings.pick("follow_up", self.random)
        return [Action(self._delay(span), body, Kind.FOLLOW_UP)]
