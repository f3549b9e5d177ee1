"""A text taken in late: judged as of the time it was received, undoing nothing decided since.

A webhook may get lost, and the carrier's list still tells of the text. By then its number may
have answered, joined or stopped anew. So the text is read as its own moment would have read it,
and of what follows from it only that is kept which no later decision contradicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.domain.consent import ConsentEventKind, OptOutMode, SubscriberState
from service.domain.conversation import Decision, Member, apply
from service.domain.deciding import decide, twilio_took_for
from service.domain.deliveries import Purpose
from service.domain.polls import PollState, condition_holds
from service.domain.programs import Program
from service.domain.wording import Saying

WHOLE_SECOND = timedelta(seconds=1)
"""The carrier's times have no fractions: a text may have come this much later."""
_ENDED = frozenset({PollState.CLOSED, PollState.PUBLISHED})
_AFTER_A_STOP = frozenset({Purpose.STOPPED, Purpose.HELP})
_SETTLED_BY_LATER_TEXTS = frozenset({Purpose.UNKNOWN, Purpose.UNCLEAR, Purpose.ALREADY_IN})


@dataclass(frozen=True, slots=True)
class Past:
    """What a member's record tells of a moment gone by, and of the time since.

    Attributes:
        at: the second in which the text was received.
        state: the member's state then.
        poll_closed_at: when the poll asked then ended, if it has.
        asked_since: another poll's question has been sent after it.
        later_texts: texts received after it have been taken in.
        later: MessageSids of the number's texts that the carrier lists after it.
        stopped_since: the number opted out after it, by whatever way.
        joined_since: its handset opted in to this program after it.
        changed_since: the member's state began after it.
    """

    at: datetime
    state: SubscriberState | None
    poll_closed_at: datetime | None = None
    asked_since: bool = False
    later_texts: bool = False
    later: Sequence[str] = ()
    stopped_since: bool = False
    joined_since: bool = False
    changed_since: bool = False

    @property
    def until(self) -> datetime:
        """The end of that second."""
        return self.at + WHOLE_SECOND


def state_after(kind: ConsentEventKind | None, campaign: str | None) -> SubscriberState | None:
    """The state that an evidence row led to; ``None`` for a number without any.

    An opt-in without a campaign was START from a stranger, which waits for its YES.

    >>> state_after(ConsentEventKind.OPT_IN, None).value
    'pending'
    """
    if kind is None:
        return None
    if kind is ConsentEventKind.OPT_OUT:
        return SubscriberState.OPTED_OUT
    if kind is ConsentEventKind.SUSPENSION:
        return SubscriberState.SUSPENDED
    if kind is ConsentEventKind.OPT_IN and campaign is None:
        return SubscriberState.PENDING
    return SubscriberState.ACTIVE


def decide_late(member: Member, past: Past, text: str, program: Program) -> Decision:
    """What ``text`` changes although it is taken in late.

    Args:
        member: as they stand now; ``asked`` is the poll they had been asked by then.
    """
    taken_for = twilio_took_for(text) if program.opt_out_mode is OptOutMode.ADVANCED else ""
    then = _as_of(member, past)
    decision = decide(then, text, program, past.at, opt_out_type=taken_for)
    decision = _without_undone_consent(member, past, decision)
    decision = _without_undone_answers(member, past, decision)
    return _without_stale_words(member, past, decision)


def apply_late(member: Member, decision: Decision, past: Past) -> Member:
    """The member after a late decision; what later texts brought stays."""
    after = apply(member, decision, past.at)
    if decision.consent is None:
        return after
    if decision.consent.everywhere and past.joined_since:
        return after._replace(state=member.state, hold=member.hold, review=member.review)
    if past.later_texts and not decision.consent.everywhere:
        return after._replace(hold=member.hold, review=member.review)
    return after


def _as_of(member: Member, past: Past) -> Member:
    asked = member.asked
    closed_at = past.poll_closed_at
    if asked and asked.state in _ENDED and closed_at is not None and past.at < closed_at:
        asked = replace(asked, state=PollState.OPEN)
    answers = {
        position: given
        for position, given in member.answers.items()
        if given.answered_at is None or given.answered_at <= past.until
    }
    return member._replace(state=past.state, asked=asked, answers=answers)


def _without_undone_consent(member: Member, past: Past, decision: Decision) -> Decision:
    consent = decision.consent
    if consent is None:
        return decision
    if consent.everywhere:  # it holds in the other programs, and is evidence in this one too
        return decision._replace(say=None) if past.joined_since else decision
    gone = (SubscriberState.OPTED_OUT, SubscriberState.SUSPENDED)
    left_since = past.changed_since and member.state in gone
    in_already = consent.state is SubscriberState.PENDING and member.state is SubscriberState.ACTIVE
    if past.stopped_since or left_since or in_already:
        return decision._replace(rule="undone since", consent=None, say=None)
    return decision


def _without_undone_answers(member: Member, past: Past, decision: Decision) -> Decision:
    """An older answer never replaces a newer one, nor stands where the newer ones forbid it."""
    newer = {
        position
        for position, given in member.answers.items()
        if given.answered_at is not None and given.answered_at > past.until
    }
    if not newer or member.asked is None:
        return decision
    chosen = member.chosen | {
        position: given.choice
        for position, given in decision.answers.items()
        if position not in newer
    }
    standing = {
        position: given
        for position, given in decision.answers.items()
        if position not in newer and condition_holds(member.asked.question(position), chosen)
    }
    overtaken = standing != dict(decision.answers) or bool(decision.review)
    return decision._replace(
        rule="a newer answer stands" if overtaken else decision.rule,
        answers=standing,
        voided=tuple(position for position in decision.voided if position not in newer),
        say=None if overtaken else decision.say,
        review=None if decision.review else decision.review,
    )


def _without_stale_words(member: Member, past: Past, decision: Decision) -> Decision:
    """No flag that the time since has settled, and no words that it has made idle."""
    if past.changed_since or past.stopped_since:
        decision = decision._replace(hold=False, review=None)
    if past.later_texts and decision.review is False:
        decision = decision._replace(review=None)  # what came later may still wait
    say = decision.say
    if say is None or (past.stopped_since and say.purpose not in _AFTER_A_STOP):
        return decision._replace(say=None)
    if past.later_texts and say.purpose in _SETTLED_BY_LATER_TEXTS:
        return decision._replace(say=None)
    asks_on = member.asked is not None and member.asked.takes_answers and not past.asked_since
    if asks_on or say.purpose not in (Purpose.FOLLOW_UP, Purpose.UNCLEAR):
        return decision
    thanks = Saying(Purpose.COUNTED) if say.purpose is Purpose.FOLLOW_UP else None
    return decision._replace(say=thanks)
