"""Texts that a phone wrote: reactions that quote us, and automatic replies."""

import re

from service.domain.reading.words import words

_NAMED = (
    r"(?:Loved|Liked|Disliked|Laughed at|Emphasi[sz]ed|Questioned|Removed an? [\w ]{1,20} from"
    r"|Reacted .{1,12} to|Le gustó|Le encantó)"
)
_REACTION = re.compile(
    rf"\A\s*(?:{_NAMED}|[^\w\s]{{1,8}} (?:to|a))\s*(?:[“\"«„'‘]|an? (?:image|movie|attachment))",
    re.I,
)


def is_reaction(text: str) -> bool:
    """Whether a phone sent this to show a tapback: ``Liked "Acme Stat: …"``."""
    return _REACTION.match(text) is not None


def is_auto_reply(normal: str) -> bool:
    """Whether the normalised text opens like an automatic answer."""
    return any(normal.startswith(opening) for opening in words("auto_reply"))
