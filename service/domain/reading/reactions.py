"""Texts that a phone wrote: reactions that quote us, and automatic replies."""

import re
from functools import lru_cache

from service.domain.reading.normalise import Typed
from service.domain.reading.words import alternatives, pattern, words

_QUOTE = "[“”\"«»„‟‘’‚'「『]"
_EMOJI = r"[^\w\s“”\"«»„‘’'.,;:!?()\-–—/&+*#@%$]{1,12}"
_TO = "(?:to|a|à|zu|an|ad)"


@lru_cache(maxsize=256)
def _reaction(brand: str) -> re.Pattern[str]:
    target = rf"{_QUOTE}|(?:{alternatives('reaction_things')})\W*\Z"
    if brand:
        target += rf"|{re.escape(brand)}\b"
    bare = f"|{re.escape(brand)}" if brand else ""
    return re.compile(
        rf"(?:{alternatives('reaction_verbs')}) *:? *(?:{target})"
        rf"|(?:{_EMOJI} *)+{_TO} *(?:{target})"
        rf"|(?:reacted|removed|reaccionó|a réagi|reagiu) [^\w“\"«]{{1,16}} *(?:to|from|a|à|de)\b"
        rf"|(?:[^\W\d]+ +){{1,5}}{_QUOTE} *(?:{brand and re.escape(brand)}{bare} *:)"
        if brand
        else rf"(?:{alternatives('reaction_verbs')}) *:? *(?:{target})"
        rf"|(?:{_EMOJI} *)+{_TO} *(?:{target})"
        rf"|(?:reacted|removed|reaccionó|a réagi|reagiu) [^\w“\"«]{{1,16}} *(?:to|from|a|à|de)\b",
        re.I,
    )


def is_reaction(typed: Typed, *, brand: str = "") -> bool:
    """Whether a phone sent this to show a tapback: ``Liked "Acme Stat: …"``.

    Args:
        brand: the program's name as it opens our texts.

    >>> is_reaction(Typed("👍 to “Acme Stat: Reply YES or NO.”")), is_reaction(Typed("Liked it"))
    (True, False)
    """
    return _reaction(brand.casefold()).match(typed.tidied) is not None


def is_auto_reply(typed: Typed) -> bool:
    """Whether the text reads like an automatic answer.

    >>> is_auto_reply(Typed("I’m driving right now. Sent from my car."))
    True
    """
    return pattern("auto_reply_phrases", "(?:", ")").search(typed.calm) is not None
