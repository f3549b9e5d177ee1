"""An alert as a text: one GSM-7 segment, whatever it has to say."""

from service.domain.deliveries import Purpose
from service.domain.programs import Program
from service.domain.segments import measure
from service.domain.wording import Saying, render

_PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "}
)
_CUT = "..."


def alert_text(program: Program, sentence: str) -> str:
    """The words of an alert, cut at the end to one segment; staff read the rest on the screen."""
    words = render(program, Saying(Purpose.ALERT, sentence=sentence)).translate(_PLAIN)
    for character in measure(words).offenders:
        words = words.replace(character, "?")
    if measure(words).segments == 1:
        return words
    while measure(words + _CUT).segments > 1:
        words = words[:-1]
    return words.rstrip() + _CUT
