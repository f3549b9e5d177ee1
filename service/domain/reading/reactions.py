"""Texts that a phone wrote: reactions that quote us, and automatic replies."""

import re
from functools import lru_cache

from service.domain.reading.normalise import Typed
from service.domain.reading.words import alternatives, pattern, words

_QUOTE = "[“”\"«»„‟‘’‚'「『]"
_NO_EMOJI = r"\w“”\"«»„‟‘’'.,;:!?()\-–—/&+*#@%$\n"
_EMOJI = rf"[^\s{_NO_EMOJI}][^{_NO_EMOJI}]{{0,24}}"
_TO = "(?:to|a|à|zu|an|ad)"


_OWN_WORDS = r"(?!(?:y|n|yes|no|s[ií]|stop|end|quit|cancel|unsub\w*)\b)"


@lru_cache(maxsize=256)
def _reaction(brand: str) -> re.Pattern[str]:
    target = rf"{_QUOTE}|(?:{alternatives('reaction_things')})\W*\Z"
    forms = [rf"{_EMOJI}{_TO} *(?:{target})"]
    if brand:
        # A phone in a language not listed here: a few words, then our text in quotes.
        forms.append(rf"{_OWN_WORDS}[^\n.!?]{{1,40}} {_QUOTE} *{re.escape(brand)}\b")
        target += rf"|{re.escape(brand)}\b"
    forms.append(rf"(?:{alternatives('reaction_verbs')}) *:? *(?:{target})")
    forms.append(
        r"(?:reacted|removed|reaccionó|a réagi|reagiu) [^\w“\"«]{1,16} *(?:to|from|a|à|de)\b"
    )
    return re.compile("|".join(forms), re.I)


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
    if words("auto_reply_signs").isdisjoint(typed.normal.split()):
        return False
    return pattern("auto_reply_phrases", "(?:", ")").search(typed.normal) is not None
