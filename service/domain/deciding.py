"""The decision on one text: consent first, then answers, then what is left to a person."""

from datetime import datetime
from functools import lru_cache

from service.domain.answering import (
    decide_answer,
    decide_late,
    decide_left_over,
    expected_questions,
)
from service.domain.consent import ConsentChange, ConsentEventKind, OptOutMode, SubscriberState
from service.domain.conversation import (
    ONCE_A_DAY,
    Decision,
    Member,
    Outcome,
    said_within,
    within_limits,
)
from service.domain.deliveries import Purpose
from service.domain.programs import Program
from service.domain.reading import Asked, Label, Reading, read
from service.domain.wording import Saying

_TWILIO_WORDS = {
    **dict.fromkeys(
        ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), "STOP"
    ),
    **dict.fromkeys(("START", "UNSTOP"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}
_READS_AS = {"STOP": Label.STOP, "START": Label.START, "HELP": Label.HELP}
_ANSWERS = frozenset({Label.ANSWER, Label.NOT_APPLICABLE, Label.UNSURE})
_KEEPS_SILENT = frozenset({Label.REACTION, Label.AUTO_REPLY})

_SHORT = 24
"""Characters of a text that is worth remembering."""

_BACK_IN = ConsentChange(ConsentEventKind.REJOIN, SubscriberState.ACTIVE, settles=False)
_OPT_OUT = ConsentChange(ConsentEventKind.OPT_OUT, SubscriberState.OPTED_OUT, everywhere=True)


def decide(
    member: Member, text: str, program: Program, now: datetime, *, opt_out_type: str = ""
) -> Decision:
    """What ``text`` changes for ``member``.

    Args:
        opt_out_type: Twilio's ``OptOutType`` where Advanced Opt-Out answered already.
    """
    reading = _read(member, text, program, opt_out_type)
    decision = _by_consent(member, reading, program, now) or _back_in(
        member, reading, _by_poll(member, reading, text, now)
    )
    if _twilio_answers(program, decision, text, opt_out_type):
        decision = decision._replace(say=None)
    return within_limits(member, decision, now)


def decide_without_program(text: str) -> Decision:
    """What a text to an address that no program has changes: nothing, unless it says stop."""
    reading = read(text, Asked())
    if reading.label is Label.STOP:
        return Decision(reading.rule, reading.label.value, consent=_OPT_OUT)
    return Decision("no program has this address", reading.label.value)


def _read(member: Member, text: str, program: Program, opt_out_type: str) -> Reading:
    asked = Asked(
        brand=program.name,
        keywords=frozenset(program.keywords),
        pending=member.state is SubscriberState.PENDING,
        questions=expected_questions(member),
    )
    reading = _read_once(text, asked) if len(text) <= _SHORT else read(text, asked)
    return _as_twilio_took_it(member, reading, opt_out_type)


@lru_cache(maxsize=4096)
def _read_once(text: str, asked: Asked) -> Reading:
    """Short texts repeat ("Yes", "no"): each is read once for all who were asked the same."""
    return read(text, asked)


def _as_twilio_took_it(member: Member, reading: Reading, opt_out_type: str) -> Reading:
    """Twilio's ``OptOutType`` comes first, but of an opt-in the words still say which kind it is.

    A YES it took for an opt-in is an active member's answer, or confirms a double opt-in.
    """
    taken = _READS_AS.get(opt_out_type)
    if taken is None:
        return reading
    if taken is Label.START:
        if reading.label in _ANSWERS and member.state is SubscriberState.ACTIVE:
            return reading
        joins = reading.label in (Label.JOIN, Label.CONFIRM)
        if joins and member.state is not SubscriberState.OPTED_OUT:
            return reading
    return Reading(taken, f"OptOutType {opt_out_type}", keyword=reading.keyword)


def _twilio_answers(program: Program, decision: Decision, text: str, opt_out_type: str) -> bool:
    """Whether Twilio itself has already answered this text."""
    if opt_out_type:
        return decision.label not in _ANSWERS
    if program.opt_out_mode is not OptOutMode.TWILIO_DEFAULT:
        return False
    return bool(twilio_took_for(text))


def twilio_took_for(text: str) -> str:
    """What Twilio's default words make of a whole text: STOP, START, HELP, or empty for none.

    >>> twilio_took_for(" Cancel "), twilio_took_for("please stop")
    ('STOP', '')
    """
    return _TWILIO_WORDS.get(text.strip().upper(), "")


def _by_consent(
    member: Member, reading: Reading, program: Program, now: datetime
) -> Decision | None:
    """Opt-out, HELP, joining, and everything from people who are not in."""
    match reading.label:
        case Label.STOP:
            return _opt_out(member, reading, now)
        case Label.HELP:
            return Decision(reading.rule, reading.label.value, say=Saying(Purpose.HELP))
        case Label.JOIN | Label.START | Label.CONFIRM:
            return _join(member, reading, program, now)
    if member.state is SubscriberState.OPTED_OUT:
        return Decision("opted out: nothing is said", reading.label.value)
    if member.state in (None, SubscriberState.PENDING):
        return _not_in(member, reading, now)
    return None


def _opt_out(member: Member, reading: Reading, now: datetime) -> Decision:
    confirmed = said_within(member, Purpose.STOPPED, ONCE_A_DAY, now)
    waiting = member.waiting_for
    return Decision(
        reading.rule,
        reading.label.value,
        consent=ConsentChange(ConsentEventKind.OPT_OUT, SubscriberState.OPTED_OUT, everywhere=True),
        say=None if confirmed else Saying(Purpose.STOPPED),
        question=waiting.position if waiting else 0,
        outcome=Outcome.OPTED_OUT if waiting else None,
    )


def _join(member: Member, reading: Reading, program: Program, now: datetime) -> Decision:
    label = reading.label.value
    if member.state is SubscriberState.ACTIVE:
        told = said_within(member, Purpose.ALREADY_IN, ONCE_A_DAY, now)
        return Decision("already in", label, say=None if told else Saying(Purpose.ALREADY_IN))
    opted_out = member.state is SubscriberState.OPTED_OUT
    if opted_out and reading.label is Label.JOIN and program.opt_out_mode is not OptOutMode.APP:
        return Decision("blocked by Twilio: only START brings the number back", label)
    if reading.label is Label.START and member.state in (None, SubscriberState.PENDING):
        prompted = said_within(member, Purpose.DOUBLE_OPT_IN, ONCE_A_DAY, now)
        return Decision(
            reading.rule,
            label,
            consent=ConsentChange(ConsentEventKind.OPT_IN, SubscriberState.PENDING),
            say=None if prompted else Saying(Purpose.DOUBLE_OPT_IN),
        )
    if opted_out or member.state is SubscriberState.SUSPENDED:
        kind = ConsentEventKind.REJOIN
    elif reading.label is Label.CONFIRM:
        kind = ConsentEventKind.CONFIRMATION
    else:
        kind = ConsentEventKind.OPT_IN
    campaign = program.keywords.get(reading.keyword or "")
    return Decision(
        reading.rule,
        label,
        consent=ConsentChange(kind, SubscriberState.ACTIVE, campaign=campaign),
        say=Saying(Purpose.CONFIRMATION),
    )


def _not_in(member: Member, reading: Reading, now: datetime) -> Decision:
    """A stranger, or somebody whose double opt-in still waits."""
    if reading.label is Label.HOLD:  # perhaps an opt-out: nobody is invited to join on it
        pending = member.state is SubscriberState.PENDING
        return Decision(reading.rule, reading.label.value, hold=pending)
    if reading.label in _KEEPS_SILENT:
        return Decision(reading.rule, reading.label.value)
    told = said_within(member, Purpose.UNKNOWN, ONCE_A_DAY, now)
    say = None if told else Saying(Purpose.UNKNOWN)
    return Decision("unknown sender", reading.label.value, say=say)


def _back_in(member: Member, reading: Reading, decision: Decision) -> Decision:
    """An answer from a suspended number shows that it works: its member is in again."""
    if member.state is not SubscriberState.SUSPENDED or reading.label not in _ANSWERS:
        return decision
    return decision._replace(consent=_BACK_IN)


def _by_poll(member: Member, reading: Reading, text: str, now: datetime) -> Decision:
    asked = member.asked
    if asked is not None and not asked.takes_answers and reading.label in _ANSWERS:
        return decide_late(member, asked, reading)
    if asked is not None and reading.label in _ANSWERS:
        answered = decide_answer(member, asked, reading, now)
        if answered:
            return answered
    return decide_left_over(member, reading, text, now)
