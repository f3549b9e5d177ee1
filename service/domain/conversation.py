"""What one text changes: ``state = apply(state, decide(state, text, now))``, pure.

A :class:`Decision` is data. The webhook stores it, the review page shows it, the tests compare
it: one small value says what changed, what to answer and which rule decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from service.domain.consent import ConsentChange, SubscriberState
from service.domain.deliveries import Purpose
from service.domain.polls import TAKING_ANSWERS, PollState, Question, condition_holds
from service.domain.wording import Saying

ONCE_A_DAY = timedelta(hours=24)
APPEND_WITHIN = timedelta(minutes=10)
MOST_TEXTS_AN_HOUR = 10
MOST_CLARIFYING_TEXTS = 2
_NONE: Mapping[Any, Any] = MappingProxyType({})


class Outcome(StrEnum):
    """What became of a text that was attributed to a question."""

    COUNTED = "counted"
    UNCLEAR = "unclear"
    LATE = "late"
    OPTED_OUT = "opted_out"
    IGNORED = "ignored"


class Waiting(StrEnum):
    """Why a text waits for a person. A review never opts out by itself; a hold does in the end."""

    REVIEW = "review"
    HOLD = "hold"


class Given(NamedTuple):
    """An answer that stands."""

    choice: str | None = None
    number: Decimal | None = None
    text: str | None = None
    comment: str = ""
    answered_at: datetime | None = None

    @property
    def value(self) -> str:
        """The counted part, as text."""
        return self.choice or self.text or str(self.number)

    def says_the_same(self, other: "Given") -> bool:
        """Whether the counted part is equal; comments and times aside."""
        return (self.choice, self.number, self.text) == (other.choice, other.number, other.text)


@dataclass(frozen=True, slots=True)
class AskedPoll:
    """The poll this person was last asked.

    Attributes:
        link: address of the published result, empty until then.
    """

    identifier: int
    state: PollState
    questions: tuple[Question, ...]
    results_at: datetime | None = None
    link: str = ""

    def question(self, position: int) -> Question:
        """The question at ``position``, from 1."""
        return self.questions[position - 1]

    @property
    def takes_answers(self) -> bool:
        """Whether an answer still counts."""
        return self.state in TAKING_ANSWERS


class SaidBefore(NamedTuple):
    """What this service said to a number lately, for the limits on automatic texts.

    Attributes:
        last: newest instant of each purpose in this program.
        within_hour: automatic texts to the number in the past hour, over all programs.
        clarifying: by position, clarifying texts already sent for the poll asked.
        told_closed: whether a late answer to the poll asked was already answered.
    """

    last: Mapping[Purpose, datetime] = _NONE
    within_hour: int = 0
    clarifying: Mapping[int, int] = _NONE
    told_closed: bool = False


class Member(NamedTuple):
    """All that a decision may depend on, for one number in one program.

    Attributes:
        state: ``None`` for a stranger.
        asked: the poll last asked, open or not.
        last_asked: position of the question last texted, 0 if none.
        answers: answers that stand, by position.
    """

    state: SubscriberState | None = None
    hold: bool = False
    review: bool = False
    asked: AskedPoll | None = None
    last_asked: int = 0
    answers: Mapping[int, Given] = _NONE
    said: SaidBefore = SaidBefore()

    @property
    def standing(self) -> tuple[SubscriberState | None, bool, bool]:
        """What of a member is kept on the subscriber's row."""
        return self.state, self.hold, self.review

    def opted_out(self) -> "Member":
        """This member after an opt-out: nothing waits any more."""
        return self._replace(state=SubscriberState.OPTED_OUT, hold=False, review=False)

    @property
    def chosen(self) -> dict[int, str | None]:
        """Answered positions with the label chosen."""
        return {position: given.choice for position, given in self.answers.items()}

    @property
    def unanswered(self) -> Question | None:
        """The question last texted, if it has no answer and its condition still holds."""
        if self.asked is None or not self.last_asked:
            return None
        question = self.asked.question(self.last_asked)
        if question.position in self.answers or not condition_holds(question, self.chosen):
            return None
        return question

    @property
    def waiting_for(self) -> Question | None:
        """The unanswered question, while its poll takes answers."""
        return self.unanswered if self.asked and self.asked.takes_answers else None


class Decision(NamedTuple):
    """What one text changes.

    Attributes:
        rule: name of the rule that decided.
        label: what the text was read as.
        consent: change of consent, if any.
        answers: answers that now stand, by position.
        voided: positions whose answers no longer count (kept, never quotable).
        say: the text back, if any.
        question: position of the question this text is attributed to, 0 for none.
        outcome: what became of it there.
        hold: the number waits for staff before any broadcast: it may be an opt-out.
        review: the number waits for staff to look; ``False`` ends that, ``None`` changes nothing.
    """

    rule: str
    label: str
    consent: ConsentChange | None = None
    answers: Mapping[int, Given] = _NONE
    voided: tuple[int, ...] = ()
    say: Saying | None = None
    question: int = 0
    outcome: Outcome | None = None
    hold: bool = False
    review: bool | None = None

    @property
    def waiting(self) -> Waiting | None:
        """Why the text waits for a person, if it does."""
        if self.hold:
            return Waiting.HOLD
        return Waiting.REVIEW if self.review else None


def apply(member: Member, decision: Decision, now: datetime) -> Member:
    """The member after ``decision``."""
    kept = {p: g for p, g in member.answers.items() if p not in decision.voided}
    say = decision.say
    asked_now = say.question.position if say and say.question else member.last_asked
    after = member._replace(
        hold=member.hold or decision.hold,
        review=member.review if decision.review is None else decision.review,
        answers={**kept, **decision.answers},
        last_asked=asked_now,
        said=_said_after(member, say, now),
    )
    if decision.consent is None:
        return after
    if not decision.consent.settles:
        return after._replace(state=decision.consent.state)
    # Whoever stops or joins anew has settled what staff were to look at.
    return after._replace(state=decision.consent.state, hold=False, review=False)


def _said_after(member: Member, say: Saying | None, now: datetime) -> SaidBefore:
    said = member.said
    if say is None:
        return said
    clarifying = said.clarifying
    if say.purpose is Purpose.UNCLEAR:
        clarifying = {**clarifying, member.last_asked: clarifying.get(member.last_asked, 0) + 1}
    return SaidBefore(
        last={**said.last, say.purpose: now},
        within_hour=said.within_hour + 1,
        clarifying=clarifying,
        told_closed=said.told_closed or say.purpose in (Purpose.LATE, Purpose.CLOSED),
    )


def within_limits(member: Member, decision: Decision, now: datetime) -> Decision:
    """``decision`` without its text where a limit forbids it.

    Two robots talking are stopped after ``MOST_TEXTS_AN_HOUR`` and left to staff. The one
    confirmation of an opt-out is never held back by that.
    """
    say = decision.say
    if say is None or say.purpose is Purpose.STOPPED:
        return decision
    if member.said.within_hour >= MOST_TEXTS_AN_HOUR:
        return decision._replace(say=None, review=True)
    return decision


def said_within(member: Member, purpose: Purpose, span: timedelta, now: datetime) -> bool:
    """Whether a text of this purpose went out in the last ``span``."""
    last = member.said.last.get(purpose)
    return last is not None and now - last < span
