"""The order of the rules."""

from service.domain.polls import QuestionKind
from service.domain.reading.choices import read_choice
from service.domain.reading.courtesies import is_courtesy
from service.domain.reading.keywords import read_confirmation, read_help, read_join
from service.domain.reading.normalise import normalise, tidy
from service.domain.reading.numbers import read_number
from service.domain.reading.optouts import may_be_opt_out, opt_out_rule
from service.domain.reading.reactions import is_auto_reply, is_reaction
from service.domain.reading.values import Asked, Expected, Label, Reading
from service.domain.reading.yes_no import read_yes_no


def read(text: str, asked: Asked) -> Reading:
    """What ``text`` says to somebody who was asked ``asked``.

    >>> read("STOP", Asked()).label.value
    'stop'
    """
    normal = normalise(text)
    return _commands(text, normal, asked) or _answers(text, normal, asked) or _rest(normal)


def _commands(text: str, normal: str, asked: Asked) -> Reading | None:
    """Rules 2 to 7: reactions, opt-outs, automatic replies, HELP, confirmation, joining."""
    if is_reaction(text):
        return Reading(Label.REACTION, "reaction")
    rule = opt_out_rule(text, normal, brand=normalise(asked.brand))
    automatic = is_auto_reply(normal)
    if rule:
        return (
            Reading(Label.HOLD, "opt-out in auto-reply") if automatic else Reading(Label.STOP, rule)
        )
    if automatic:
        return Reading(Label.AUTO_REPLY, "auto-reply")
    return read_help(normal) or read_confirmation(normal, asked) or read_join(normal, asked)


def _answers(text: str, normal: str, asked: Asked) -> Reading | None:
    """Rule 8: the first question in turn that the text answers."""
    for expected in asked.questions:
        reading = _answer(expected, text, normal)
        if reading:
            return reading
    return None


def _answer(expected: Expected, text: str, normal: str) -> Reading | None:
    match expected.question.kind:
        case QuestionKind.YES_NO:
            return read_yes_no(expected, text, normal)
        case QuestionKind.CHOICE:
            return read_choice(expected, text, normal)
        case QuestionKind.NUMBER:
            return read_number(expected, text, normal)
        case QuestionKind.OPEN:
            words = tidy(text)
            if not words or expected.whole_message or is_courtesy(normal):
                return None
            position = expected.question.position
            return Reading(Label.ANSWER, "open answer", position, text=words)


def _rest(normal: str) -> Reading:
    """Rules 9 to 11: hold, courtesy, and what is left to a person."""
    if may_be_opt_out(normal):
        return Reading(Label.HOLD, "may be an opt-out")
    if is_courtesy(normal):
        return Reading(Label.COURTESY, "courtesy")
    return Reading(Label.UNCLEAR, "not understood")
