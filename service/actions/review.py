"""What a person does with texts that wait: assign an answer, teach an alias, release, opt out.

Every step names its actor. A recode keeps what stood before (``answer_change``) and shows in the
tally at once; what was published stays until it is published anew.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.actions.opt_out import opt_out_within
from service.actions.programs import find_program
from service.domain.answering import void_after_change
from service.domain.consent import ConsentEventKind
from service.domain.conversation import Given, Outcome, Waiting
from service.domain.holds import lapses_at
from service.domain.phone import lock_key, mask
from service.domain.polls import Choice, Question
from service.domain.reading.normalise import normalise
from service.domain.reading.reserved import reserved_meaning
from service.domain.recode import given_for
from service.errors import NotFoundError, RefusedError
from service.runtime import Runtime
from service.store import review
from service.store.answers import (
    answer_row,
    history_row,
    void_answers,
    write_answers,
    write_history,
)
from service.store.catalog import load_questions
from service.store.engine import lock_numbers
from service.store.members import standing_answers
from service.store.polls import find_poll
from service.store.subscribers import consent_event, write_consent


async def list_waiting(
    runtime: Runtime, *, program: str | None = None, poll: str | None = None
) -> list[dict[str, Any]]:
    """Texts that wait, holds first; each with how many others say the same.

    Raises:
        NotFoundError: there is no such program or poll.
    """
    owner = await find_program(runtime, program) if program else None
    async with runtime.sessions() as session:
        if poll is not None:
            await find_poll(session, poll)
        rows = await review.waiting_texts(
            session, program_id=owner.identifier if owner else None, poll=poll
        )
        programs = await runtime.catalog.programs(session)
    said = [(row.question_id, normalise(row.body)) for row in rows]
    alike = Counter(said)
    zones = {program.slug: program.timezone for program in programs.all}
    return [
        {
            "id": row.id,
            "waiting": row.waiting,
            "received_at": row.received_at.isoformat(),
            "lapses_at": lapses_at(row.received_at, zones[row.program]).isoformat()
            if row.waiting == Waiting.HOLD
            else None,
            "number": mask(row.number),
            "program": row.program,
            "poll": row.poll,
            "question": row.position,
            "text": row.body,
            "rule": row.rule,
            "alike": alike[words],
        }
        for row, words in zip(rows, said, strict=True)
    ]


async def assign(runtime: Runtime, text_id: int, value: str, *, actor: str) -> None:
    """Count a text as the answer a person read in it.

    Args:
        value: a choice's label or letter, or a number; for an open question ``-`` takes the
            text itself.

    Raises:
        NotFoundError: there is no such text.
        RefusedError: it answers no question, came too late, or the value is not on the ballot.
    """
    await _assign(runtime, text_id, value, actor=actor)


async def _assign(
    runtime: Runtime, text_id: int, value: str, *, actor: str, only_waiting: bool = False
) -> bool:
    async with runtime.sessions.begin() as session:
        row = await _locked(session, text_id)
        if only_waiting and row.waiting is None:
            return False  # a newer answer has settled it
        if row.question_id is None:
            raise RefusedError(f"text {text_id} answers no question; release it or opt it out")
        if row.outcome == Outcome.LATE:
            raise RefusedError(f"text {text_id} came after the close and is not counted")
        questions = (await load_questions(session, [row.poll_id]))[row.poll_id]
        now = runtime.clock.now()
        given = given_for(questions[row.position - 1], value, row.body, now)
        await _recode(session, row, questions, given, actor=actor, rule="staff recode", now=now)
    return True


async def teach_alias(
    runtime: Runtime, slug: str, phrase: str, choice: str, *, position: int = 1, actor: str
) -> int:
    """Let a phrase mean a choice of one poll from now on; gives how many waiting texts it read.

    Raises:
        NotFoundError: no such poll, question or choice.
        RefusedError: the phrase means something already.
    """
    async with runtime.sessions.begin() as session:
        poll = await find_poll(session, slug, lock=True)
        programs = await runtime.catalog.programs(session)
        keywords = frozenset(programs.by_id(poll.program_id).keywords)
        questions = (await load_questions(session, [poll.id or 0]))[poll.id or 0]
        taught = _choice(questions, position, choice, slug)
        _check_alias(questions[position - 1], phrase, keywords)
        await review.add_alias(session, taught.identifier, phrase)
        poll.version += 1
        waiting = await review.waiting_texts(session, poll=slug)
        alike = [
            row.id
            for row in waiting
            if row.position == position
            and row.waiting == Waiting.REVIEW
            and normalise(row.body) == normalise(phrase)
        ]
    read = [
        await _assign(runtime, text_id, taught.label, actor=actor, only_waiting=True)
        for text_id in alike
    ]
    return sum(read)


async def release(runtime: Runtime, text_id: int, *, actor: str) -> None:
    """A person has looked, and nothing follows: the number may be texted again.

    Raises:
        NotFoundError: there is no such text.
        RefusedError: it does not wait.
    """
    async with runtime.sessions.begin() as session:
        row = await _locked(session, text_id)
        if row.waiting is None:
            raise RefusedError(f"text {text_id} does not wait")
        now = runtime.clock.now()
        await review.settle_text(session, row.id, by=actor, now=now)
        await review.refresh_flags(session, row.subscriber_id)
        if row.waiting == Waiting.HOLD:
            released = consent_event(
                number_key=row.number_key,
                kind=ConsentEventKind.RELEASE,
                medium="staff",
                actor=actor,
                rule="staff release",
                now=now,
                program_id=row.program_id,
                raw_words=row.body,
                message_sid=row.message_sid,
            )
            await write_consent(session, [released])


async def opt_out_sender(runtime: Runtime, text_id: int, *, actor: str) -> None:
    """The text was an opt-out: its number is out of every program.

    Raises:
        NotFoundError: there is no such text.
    """
    async with runtime.sessions.begin() as session:
        row = await _locked(session, text_id)
        await opt_out_within(
            session,
            {row.number: row.number_key},
            runtime.clock.now(),
            medium="staff",
            actor=actor,
            rule="staff read an opt-out",
        )


async def lapse_holds(runtime: Runtime) -> int:
    """Holds that nobody decided for three business days become opt-outs; gives how many."""
    now = runtime.clock.now()
    waiting = await list_waiting(runtime)
    lapsed = [
        row["id"]
        for row in waiting
        if row["lapses_at"] and datetime.fromisoformat(row["lapses_at"]) <= now
    ]
    for text_id in lapsed:
        async with runtime.sessions.begin() as session:
            row = await _locked(session, text_id)
            if row.waiting == Waiting.HOLD:
                await opt_out_within(
                    session,
                    {row.number: row.number_key},
                    now,
                    medium="text",
                    actor="service",
                    rule="hold lapsed",
                )
    return len(lapsed)


async def _locked(session: AsyncSession, text_id: int) -> Any:
    """A text as it stands under its number's lock."""
    row = await review.one_text(session, text_id)
    if row is None or row.subscriber_id is None:
        raise NotFoundError(f"there is no text {text_id} of a subscriber")
    await lock_numbers(session, [lock_key(row.number_key)])
    return await review.one_text(session, text_id)


async def _recode(
    session: AsyncSession,
    row: Any,
    questions: tuple[Question, ...],
    given: Given,
    *,
    actor: str,
    rule: str,
    now: datetime,
) -> None:
    question = questions[row.position - 1]
    standing = await standing_answers(session, row.subscriber_id, row.poll_id)
    chosen = {position: answer.choice for position, answer in standing.items()}
    changed = question.position in chosen and chosen[question.position] != given.choice
    chosen[question.position] = given.choice
    voided = void_after_change(questions, question, chosen) if changed else ()
    pairs = [(questions[position - 1].identifier, row.subscriber_id) for position in voided]
    pair = (question.identifier, row.subscriber_id)
    choice = question.choice_labelled(given.choice) if given.choice else None
    await void_answers(session, pairs)
    await write_answers(session, [answer_row(pair, given, choice.identifier if choice else None)])
    steps: list[tuple[tuple[int, int], Given | None]] = [(dropped, None) for dropped in pairs]
    await write_history(
        session,
        [
            history_row(key, value, actor=actor, rule=rule, sid=row.message_sid, now=now)
            for key, value in [*steps, (pair, given)]
        ],
    )
    await review.mark_counted(session, row.id)
    await review.settle_text(session, row.id, by=actor, now=now)
    await review.settle_reviews(session, [row.subscriber_id], by=actor, now=now)
    await review.refresh_flags(session, row.subscriber_id)


def _choice(questions: Sequence[Question], position: int, label: str, slug: str) -> Choice:
    if not 1 <= position <= len(questions):
        raise NotFoundError(f"poll {slug!r} has no question {position}")
    found = questions[position - 1].choice_named(label)
    if found is None:
        raise NotFoundError(f"question {position} of poll {slug!r} has no choice {label!r}")
    return found


def _check_alias(question: Question, phrase: str, keywords: frozenset[str]) -> None:
    meaning = reserved_meaning(phrase, keywords)
    if meaning:
        raise RefusedError(f"{phrase!r} means {meaning}, so it cannot mean a choice")
    if not normalise(phrase):
        raise RefusedError("an alias needs letters or digits")
    for choice in question.choices:
        if normalise(phrase) in {normalise(word) for word in (choice.label, *choice.aliases)}:
            raise RefusedError(f"{phrase!r} means {choice.label!r} already")
