"""How many parts a text is billed as (GSM 03.38; 3GPP TS 23.038)."""

from math import ceil

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_GSM7 = _BASIC | _EXTENDED


def count_segments(body: str) -> int:
    """Counts the parts; an empty text still takes one.

    A two-septet character or a surrogate pair is never cut in two, so a long
    text can need one part more than its length alone says.

    >>> count_segments("a" * 160), count_segments("a" * 161), count_segments("ą" * 71)
    (1, 2, 2)
    """
    if _BASIC.issuperset(body):
        return 1 if len(body) <= 160 else ceil(len(body) / 153)
    if _GSM7.issuperset(body):
        return _packed([2 if character in _EXTENDED else 1 for character in body], 160, 153)
    return _packed([2 if ord(character) > 0xFFFF else 1 for character in body], 70, 67)


def _packed(sizes: list[int], alone: int, joined: int) -> int:
    if sum(sizes) <= alone:
        return 1
    segments, used = 1, 0
    for size in sizes:
        if used + size > joined:
            segments, used = segments + 1, 0
        used += size
    return segments
