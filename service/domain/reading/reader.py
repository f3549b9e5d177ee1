"""The order of the rules."""

from service.domain.polls import QuestionKind
from service.domain.reading.choices import read_choice
from service.domain.reading.courtesies import is_agreement, is_courtesy
from service.domain.reading.keywords import read_confirmation, read_help, read_join
from service.domain.reading.normalise import Typed, normalise_once
from service.domain.reading.numbers import read_number
from service.domain.reading.open_text import read_open
from service.domain.reading.optouts import Names, may_be_opt_out, opt_out_rule
from service.domain.reading.reactions import is_auto_reply, is_reaction
from service.domain.reading.values import Asked, Label, Reading
from service.domain.reading.yes_no import read_yes_no

_READERS = {
    QuestionKind.YES_NO: read_yes_no,
    QuestionKind.CHOICE: read_choice,
    QuestionKind.NUMBER: read_number,
    QuestionKind.OPEN: read_open,
}


def read(text: str, asked: Asked) -> Reading:
    """What ``text`` says to somebody who was asked ``asked``.

    >>> read("STOP", Asked()).label.value
    'stop'
    """
    typed = Typed(text)
    return read_command(typed, asked) or _answer(typed, asked) or _rest(typed, asked)


def read_command(typed: Typed, asked: Asked) -> Reading | None:
    """Rules 2 to 7: reactions, opt-outs, automatic replies, HELP, confirmation, joining."""
    if is_reaction(typed, brand=asked.brand):
        return Reading(Label.REACTION, "reaction")
    rule = opt_out_rule(typed, Names(normalise_once(asked.brand), asked.keywords))
    automatic = is_auto_reply(typed)
    if rule and automatic:
        return Reading(Label.HOLD, "opt-out in auto-reply")
    if rule:
        return Reading(Label.STOP, rule)
    if automatic:
        return Reading(Label.AUTO_REPLY, "auto-reply")
    return read_help(typed) or read_confirmation(typed, asked) or read_join(typed, asked)


def _answer(typed: Typed, asked: Asked) -> Reading | None:
    """Rule 8: the first question in turn that the text answers."""
    for expected in asked.questions:
        reading = _READERS[expected.question.kind](expected, typed)
        if reading:
            return reading
    return None


def _rest(typed: Typed, asked: Asked) -> Reading:
    """Rules 9 to 11: hold, courtesy, and what is left to a person."""
    if may_be_opt_out(typed):
        return Reading(Label.HOLD, "may be an opt-out")
    if _awaits_vote(asked) and is_agreement(typed):
        return Reading(Label.UNCLEAR, "agrees without a vote")
    if is_courtesy(typed):
        return Reading(Label.COURTESY, "courtesy")
    return Reading(Label.UNCLEAR, "not understood" if typed.tokens else "no words")


def _awaits_vote(asked: Asked) -> bool:
    """Whether a yes/no question is still unanswered: then "ok" is left to a person."""
    return any(
        expected.question.kind is QuestionKind.YES_NO and not expected.whole_message
        for expected in asked.questions
    )
