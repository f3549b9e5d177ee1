"""Open answers: the text as it is."""

from service.domain.reading.courtesies import is_courtesy
from service.domain.reading.normalise import Typed
from service.domain.reading.optouts import may_be_opt_out
from service.domain.reading.values import Expected, Label, Reading
from service.domain.reading.words import words


def read_open(expected: Expected, typed: Typed) -> Reading | None:
    """The words of ``typed``, unless they answer nothing.

    ``None`` for a courtesy, a question back at us, marks without a word, and for what may be an
    opt-out: none of these should ever be quoted.
    """
    if expected.whole_message or not typed.tokens:
        return None
    if typed.calm in words("asks_back") or is_courtesy(typed):
        return None
    if may_be_opt_out(typed, strictly=True):
        return None
    position = expected.question.position
    return Reading(Label.ANSWER, "open answer", position, text=typed.tidied)
