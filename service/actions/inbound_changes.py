"""What a batch of decisions writes, gathered row by row and stored in a few statements."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.consent import ConsentEventKind, SubscriberState
from service.domain.conversation import Decision, Waiting
from service.domain.deliveries import DeliveryState
from service.domain.hindsight import Past
from service.domain.programs import Program
from service.domain.segments import measure
from service.domain.wording import Saying, render
from service.store.answers import AnswerRow, answer_row, void_answers
from service.store.hindsight import opt_out_as_of
from service.store.inbound import (
    ChangeRow,
    ReceivedText,
    ReplyRow,
    Response,
    TextRow,
    write_texts,
)
from service.store.members import StoredMember
from service.store.review import settle_numbers, settle_reviews
from service.store.subscribers import (
    consent_event,
    opt_out_everywhere,
    write_consent,
    write_subscribers,
)

_MEMBER = "member"
"""Actor of what people do with their own phones."""


@dataclass(slots=True)
class _Entry:
    """One text with its decision and, where it belongs to a program, its member and words back.

    Attributes:
        at: when it was received.
        past: for one taken in late; it is answered by a text of its own.
    """

    text: ReceivedText
    key: bytes
    decision: Decision
    at: datetime
    past: Past | None = None
    program: Program | None = None
    stored: StoredMember | None = None
    body: str | None = None
    question_id: int | None = None
    poll_id: int | None = None
    ends_review: bool = False

    @property
    def subscriber_id(self) -> int | None:
        return self.stored.subscriber_id if self.stored else None


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a batch changes in answers; ``voided`` are pairs of question and subscriber."""

    standing: list[AnswerRow]
    voided: list[tuple[int, int]]
    history: list[ChangeRow]


@dataclass
class InboundChanges:
    """The decisions of one batch, in order."""

    now: datetime
    entries: list[_Entry] = field(default_factory=list)

    def add_without_program(self, text: ReceivedText, key: bytes, decision: Decision) -> None:
        """A text to an address that no program has."""
        self.entries.append(_Entry(text, key, decision, self.now))

    def add(
        self,
        text: ReceivedText,
        program: Program,
        stored: StoredMember,
        decision: Decision,
        past: Past | None = None,
    ) -> None:
        """A decided text; call it before the member moves on."""
        asked = stored.member.asked
        question = asked.question(decision.question) if asked and decision.question else None
        self.entries.append(
            _Entry(
                text=text,
                key=stored.number_key,
                decision=decision,
                at=past.at if past else self.now,
                past=past,
                program=program,
                stored=stored,
                body=render(program, decision.say, stored.language) if decision.say else None,
                question_id=question.identifier if question else None,
                poll_id=asked.identifier if asked else None,
                ends_review=stored.member.review and decision.review is False,
            )
        )

    async def write(
        self, session: AsyncSession, members: Iterable[StoredMember]
    ) -> dict[str, Response]:
        """Store everything; gives the responses by MessageSid."""
        stops = [e for e in self.entries if e.decision.consent and e.decision.consent.everywhere]
        stopped = [entry.key for entry in stops if entry.past is None]
        await opt_out_everywhere(session, stopped, self.now)
        for entry in stops:
            if entry.past is not None:
                await opt_out_as_of(session, entry.key, entry.at, self.now, later=entry.past.later)
        await self._write_members(session, members, set(stopped))
        await write_consent(session, [row for e in self.entries for row in self._evidence(e)])
        answers = self._answers()
        await void_answers(session, answers.voided)
        # Before this batch's own texts are written: a later one of them may wait again.
        await settle_reviews(session, self._answered(), by=_MEMBER, now=self.now)
        await settle_numbers(session, self._rejoined(), by=_MEMBER, now=self.now)
        keys = await write_texts(
            session,
            [self._inbound(e) for e in self.entries],
            replies=[
                self._reply(e, e.decision.say) for e in self.entries if e.program and e.decision.say
            ],
            answers=answers.standing,
            history=answers.history,
            actor=_MEMBER,
            now=self.now,
        )
        return {
            sid: Response(e.body, keys.get(sid), e.decision.label)
            for e in self.entries
            for sid in (e.text.message_sid,)
        }

    def _answered(self) -> list[int]:
        """People whose valid answer ends the review of what they texted before."""
        return [
            entry.subscriber_id
            for entry in self.entries
            if entry.ends_review and entry.subscriber_id is not None
        ]

    def _rejoined(self) -> list[bytes]:
        """Numbers that came in anew, which settles what staff were to look at."""
        return [
            entry.key
            for entry in self.entries
            if entry.decision.consent
            and entry.decision.consent.settles
            and not entry.decision.consent.everywhere
            and not (entry.past and entry.past.later_texts)
        ]

    async def _write_members(
        self, session: AsyncSession, members: Iterable[StoredMember], stopped: set[bytes]
    ) -> None:
        last = {e.key: e for e in self.entries}
        campaigns = {
            (e.program.identifier, e.key): e.decision.consent.campaign
            for e in self.entries
            if e.program and e.decision.consent
        }
        changed = [
            stored
            for stored in members
            if stored.member.state is not None
            and (
                stored.member.standing != stored.before.standing
                # The statement above took the row out; whoever came back in this batch is in.
                or (
                    stored.number_key in stopped
                    and stored.member.state is not SubscriberState.OPTED_OUT
                )
            )
        ]
        written = await write_subscribers(
            session,
            [
                {
                    "program_id": stored.program_id,
                    "number_key": stored.number_key,
                    "number": last[stored.number_key].text.number,
                    "state": stored.member.state,
                    "hold": stored.member.hold,
                    "review": stored.member.review,
                    "campaign": campaigns.get((stored.program_id, stored.number_key)),
                    "created_at": last[stored.number_key].at,
                    "state_at": last[stored.number_key].at,
                }
                for stored in changed
            ],
        )
        for stored in changed:
            stored.subscriber_id = written[stored.program_id, stored.number_key]

    def _evidence(self, entry: _Entry) -> Iterable[dict[str, Any]]:
        decision, text = entry.decision, entry.text
        consent = decision.consent
        kinds = [consent.kind] if consent else []
        if decision.hold:
            kinds.append(ConsentEventKind.HOLD)
        shown = entry.body or ""
        for kind in kinds:
            yield consent_event(
                number_key=entry.key,
                program_id=entry.program.identifier if entry.program else None,
                kind=kind,
                medium="text",
                actor=_MEMBER,
                rule=decision.rule,
                now=entry.at,
                campaign=consent.campaign if consent else None,
                wording=shown,
                wording_hash=hashlib.sha256(shown.encode()).hexdigest() if shown else "",
                raw_words=text.body,
                message_sid=text.message_sid,
            )

    def _reply(self, entry: _Entry, say: Saying) -> ReplyRow:
        body = entry.body or ""
        return ReplyRow(
            inbound_sid=entry.text.message_sid,
            poll_id=entry.poll_id,
            question_id=say.question.identifier if say.question else entry.question_id,
            purpose=say.purpose,
            body=body,
            segments=measure(body).segments,
            # A webhook that comes after all gets nothing to say: a worker sends the answer.
            state=DeliveryState.READY if entry.past else DeliveryState.HANDED,
        )

    def _inbound(self, entry: _Entry) -> TextRow:
        text, decision = entry.text, entry.decision
        attributed = entry.subscriber_id is not None
        return TextRow(
            message_sid=text.message_sid,
            program_id=entry.program.identifier if entry.program else None,
            subscriber_id=entry.subscriber_id,
            question_id=entry.question_id if attributed else None,
            number_key=entry.key,
            number=text.number,
            to_number=text.to,
            body=text.body,
            media_count=text.media_count,
            label=decision.label,
            rule=decision.rule,
            outcome=decision.outcome if attributed else None,
            received_at=entry.at,
            waiting=_still_waiting(entry),
        )

    def _answers(self) -> "_Answers":
        standing: dict[tuple[int, int], AnswerRow] = {}
        voided: dict[tuple[int, int], None] = {}
        history: list[ChangeRow] = []
        for entry in self.entries:
            asked = entry.stored.member.asked if entry.stored else None
            subscriber = entry.subscriber_id
            if asked is None or subscriber is None:
                continue
            for position in entry.decision.voided:
                pair = (asked.question(position).identifier, subscriber)
                standing.pop(pair, None)
                voided[pair] = None
                history.append(ChangeRow(entry.text.message_sid, pair[0], None, void=True))
            for position, given in entry.decision.answers.items():
                question = asked.question(position)
                pair = (question.identifier, subscriber)
                choice = question.choice_labelled(given.choice) if given.choice else None
                voided.pop(pair, None)
                standing[pair] = answer_row(pair, given, choice.identifier if choice else None)
                history.append(ChangeRow(entry.text.message_sid, pair[0], given.value, void=False))
        return _Answers(list(standing.values()), list(voided), history)


def _still_waiting(entry: _Entry) -> Waiting | None:
    """What a text waits for, unless a later one of its batch settled it: flag and queue agree."""
    if entry.stored is None or entry.subscriber_id is None:
        return None
    member = entry.stored.member
    flagged = {Waiting.HOLD: member.hold, Waiting.REVIEW: member.review}
    waiting = entry.decision.waiting
    return waiting if waiting is not None and flagged[waiting] else None
