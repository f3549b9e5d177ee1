"""Thanks and greetings: a closed list that needs nobody."""

from service.domain.reading.fillers import without
from service.domain.reading.normalise import Typed
from service.domain.reading.words import words

_LONGEST = 12


def is_courtesy(typed: Typed) -> bool:
    """Whether the whole text is a courtesy, or several: ``Hi, thank you! 🙏``."""
    if typed.asks:
        return False
    if not typed.tokens:
        return any(emoji in typed.tidied for emoji in words("courtesy_emoji"))
    return typed.calm in words("courtesy") or (
        len(typed.tokens) <= _LONGEST and not without(typed.tokens, "courtesy")
    )


def is_agreement(typed: Typed) -> bool:
    """Whether the whole text only agrees: ``ok``, ``sounds good, thanks``."""
    if len(typed.tokens) > _LONGEST:
        return False
    tokens = without(typed.tokens, "agreement")
    return len(tokens) < len(typed.tokens) and not without(tokens, "courtesy")
