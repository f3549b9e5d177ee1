"""Slips of the thumb: two words one edit apart."""


def one_edit_apart(left: str, right: str) -> bool:
    """Whether one letter added, dropped, replaced or swapped with its neighbour parts the two.

    >>> one_edit_apart("cancle", "cancel"), one_edit_apart("stafing", "staffing")
    (True, True)
    >>> one_edit_apart("cancel", "cancel"), one_edit_apart("pay", "day off")
    (False, False)
    """
    if left == right or abs(len(left) - len(right)) > 1:
        return False
    same = 0
    while same < min(len(left), len(right)) and left[same] == right[same]:
        same += 1
    a, b = left[same:], right[same:]
    if len(a) == len(b):
        return a[1:] == b[1:] or swapped_at_the_front(a, b)
    return a[1:] == b if len(a) > len(b) else a == b[1:]


def swapped_at_the_front(left: str, right: str) -> bool:
    """Whether only the first two letters changed places."""
    return left[:2] == right[:2][::-1] and left[2:] == right[2:]


def swapped_or_doubled(typed: str, word: str) -> bool:
    """Whether ``typed`` is ``word`` with two neighbours swapped or one letter twice.

    >>> swapped_or_doubled("sotp", "stop"), swapped_or_doubled("stopp", "stop")
    (True, True)
    >>> swapped_or_doubled("shop", "stop")
    False
    """
    if len(typed) == len(word):
        return one_edit_apart(typed, word) and sorted(typed) == sorted(word)
    doubled = (word[: at + 1] + word[at:] for at in range(len(word)))
    return len(typed) == len(word) + 1 and typed in doubled
