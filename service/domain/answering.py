"""Answers to the poll a member was asked: first, changed, late, added to, or unclear."""

from datetime import datetime

from service.domain.conversation import (
    APPEND_WITHIN,
    MOST_CLARIFYING_TEXTS,
    AskedPoll,
    Decision,
    Given,
    Member,
    Outcome,
)
from service.domain.deliveries import Purpose
from service.domain.polls import Question, QuestionKind, condition_holds, next_question
from service.domain.reading import Expected, Label, Reading
from service.domain.reading.normalise import tidy
from service.domain.wording import Saying

_COMMENT_WORDS = 3
"""A comment of this many words answers an open follow-up by itself."""


def expected_questions(member: Member) -> tuple[Expected, ...]:
    """The questions a text may answer, in the order to try them.

    A closed question that waits comes first. While an open one waits, a whole-message direct
    answer to an earlier question belongs to that question. With nothing waiting, answers given
    can still be changed, newest question first. After the close the same texts are read, to be
    kept as late.
    """
    if member.asked is None:
        return ()
    earlier = tuple(
        Expected(question, whole_message=True)
        for question in reversed(member.asked.questions)
        if question.position in member.answers and question.is_closed
    )
    unanswered = member.unanswered
    if unanswered is None:
        return earlier
    if unanswered.is_closed:
        return (Expected(unanswered), *earlier)
    return (*earlier, Expected(unanswered))


def decide_answer(
    member: Member, asked: AskedPoll, reading: Reading, now: datetime
) -> Decision | None:
    """An answer to a poll that is open; ``None`` where it names nothing on the ballot."""
    question = asked.question(reading.position)
    if question.kind is QuestionKind.YES_NO and reading.choice is None:
        return None  # unsure or N/A, and neither stands on this ballot
    given = Given(reading.choice, reading.number, reading.text, reading.comment, answered_at=now)
    before = member.answers.get(question.position)
    if before is not None and before.says_the_same(given):
        return Decision(
            "same answer again",
            reading.label.value,
            question=question.position,
            outcome=Outcome.COUNTED,
            review=False,
        )
    return _new_answer(member, asked, question, reading, given, changed=before is not None)


def _new_answer(
    member: Member,
    asked: AskedPoll,
    question: Question,
    reading: Reading,
    given: Given,
    *,
    changed: bool,
) -> Decision:
    chosen = {**member.chosen, question.position: given.choice}
    voided = void_after_change(asked.questions, question, chosen) if changed else ()
    answers = {question.position: given}
    following = next_question(asked.questions, chosen)
    if following and not following.is_closed and len(given.comment.split()) >= _COMMENT_WORDS:
        answers[following.position] = Given(text=given.comment, answered_at=given.answered_at)
        chosen[following.position] = None
        following = next_question(asked.questions, chosen)
    return Decision(
        reading.rule,
        reading.label.value,
        answers=answers,
        voided=voided,
        say=_after_answer(following, given, changed=changed),
        question=question.position,
        outcome=Outcome.COUNTED,
        review=False,
    )


def void_after_change(
    questions: tuple[Question, ...], question: Question, chosen: dict[int, str | None]
) -> tuple[int, ...]:
    """Drops from ``chosen`` what hung on the former choice: withdrawn, or to be asked anew."""
    voided = []
    for later in questions[question.position :]:
        hung_on_it = any(question.choice_labelled(label) for label in later.when)
        if later.position in chosen and (hung_on_it or not condition_holds(later, chosen)):
            del chosen[later.position]
            voided.append(later.position)
    return tuple(voided)


def _after_answer(following: Question | None, given: Given, *, changed: bool) -> Saying:
    if following is not None:
        return Saying(Purpose.FOLLOW_UP, question=following)
    if changed:
        return Saying(Purpose.CHANGED, choice=given.value)
    return Saying(Purpose.COUNTED)


def decide_late(member: Member, asked: AskedPoll, reading: Reading) -> Decision:
    """An answer after the close: kept, not counted, answered once."""
    say = None
    if not member.said.told_closed:
        if asked.link:
            say = Saying(Purpose.LATE, link=asked.link)
        else:
            say = Saying(Purpose.CLOSED, results_at=asked.results_at)
    return Decision(
        "late answer",
        reading.label.value,
        question=reading.position,
        outcome=Outcome.LATE,
        say=say,
    )


def decide_left_over(member: Member, reading: Reading, text: str, now: datetime) -> Decision:
    """A text that answers nothing: silence, an addition, a clarifying text, or a person."""
    waiting = member.waiting_for
    position = waiting.position if waiting else 0
    label = reading.label.value
    if reading.label in (Label.REACTION, Label.AUTO_REPLY, Label.COURTESY):
        outcome = Outcome.IGNORED if waiting else None
        return Decision(reading.rule, label, question=position, outcome=outcome)
    if reading.label is Label.HOLD:
        outcome = Outcome.UNCLEAR if waiting else None
        return Decision(reading.rule, label, question=position, outcome=outcome, hold=True)
    addition = _addition(member, text, now)
    if addition:
        return addition
    if waiting is None:
        if not text.strip():
            return Decision("empty text", label)
        return Decision(reading.rule, label, review=True)
    say = None
    if member.said.clarifying.get(position, 0) < MOST_CLARIFYING_TEXTS:
        say = Saying(Purpose.UNCLEAR, question=waiting)
    return Decision(
        reading.rule, label, question=position, outcome=Outcome.UNCLEAR, say=say, review=True
    )


def _addition(member: Member, text: str, now: datetime) -> Decision | None:
    """Words within ten minutes of an open answer are part of it, unless a question waits."""
    if member.asked is None or not member.asked.takes_answers or member.waiting_for is not None:
        return None
    words = tidy(text)
    for position, given in sorted(member.answers.items(), reverse=True):
        recent = given.answered_at is not None and now - given.answered_at <= APPEND_WITHIN
        if words and recent and given.text is not None:
            return Decision(
                "added to an open answer",
                Label.ANSWER.value,
                answers={position: given._replace(text=f"{given.text}\n{words}", answered_at=now)},
                question=position,
                outcome=Outcome.COUNTED,
            )
    return None
