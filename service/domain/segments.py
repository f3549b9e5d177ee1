"""How many parts a text costs: GSM-7 where every character allows it, else UCS-2.

Source: GSM 03.38 (3GPP TS 23.038), tables 6.2.1 and 6.2.1.1.
"""

from dataclasses import dataclass
from functools import lru_cache

LONGEST_TEXT = 1600
"""Characters. Source: Twilio, Message resource, ``Body``."""
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")


@dataclass(frozen=True, slots=True)
class Size:
    """What a text costs.

    Attributes:
        encoding: ``GSM-7`` or ``UCS-2``.
        units: septets or 16-bit units used.
        segments: parts the carrier bills, at least 1.
        offenders: the characters that force UCS-2, in order of appearance.
    """

    encoding: str
    units: int
    segments: int
    offenders: tuple[str, ...] = ()


def _parts(widths: list[int], single: int, part: int) -> int:
    """Parts needed when no character may straddle a border."""
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return parts


@lru_cache(maxsize=1024)
def measure(text: str) -> Size:
    """Encoding and segments of ``text``; answers repeat, so each is measured once.

    >>> measure("Reply YES or NO.").segments
    1
    >>> measure("Reply “YES”").encoding
    'UCS-2'
    """
    offenders = tuple(dict.fromkeys(c for c in text if c not in _BASIC and c not in _EXTENDED))
    if not offenders:
        widths = [2 if c in _EXTENDED else 1 for c in text]
        return Size("GSM-7", sum(widths), _parts(widths, 160, 153))
    widths = [2 if ord(c) > 0xFFFF else 1 for c in text]
    return Size("UCS-2", sum(widths), _parts(widths, 70, 67), offenders)
