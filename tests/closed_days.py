"""Federal holidays as the government lists them, written down by hand to check what is computed.

Source: the Office of Personnel Management's list of days on which federal offices are closed.
"""

from datetime import date

CLOSED = {
    2021: [
        *(date(2021, 1, 1), date(2021, 1, 18), date(2021, 2, 15), date(2021, 5, 31)),
        *(date(2021, 6, 18), date(2021, 7, 5), date(2021, 9, 6), date(2021, 10, 11)),
        *(date(2021, 11, 11), date(2021, 11, 25), date(2021, 12, 24), date(2021, 12, 31)),
    ],
    2025: [
        *(date(2025, 1, 1), date(2025, 1, 20), date(2025, 2, 17), date(2025, 5, 26)),
        *(date(2025, 6, 19), date(2025, 7, 4), date(2025, 9, 1), date(2025, 10, 13)),
        *(date(2025, 11, 11), date(2025, 11, 27), date(2025, 12, 25)),
    ],
    2026: [
        *(date(2026, 1, 1), date(2026, 1, 19), date(2026, 2, 16), date(2026, 5, 25)),
        *(date(2026, 6, 19), date(2026, 7, 3), date(2026, 9, 7), date(2026, 10, 12)),
        *(date(2026, 11, 11), date(2026, 11, 26), date(2026, 12, 25)),
    ],
    2027: [
        *(date(2027, 1, 1), date(2027, 1, 18), date(2027, 2, 15), date(2027, 5, 31)),
        *(date(2027, 6, 18), date(2027, 7, 5), date(2027, 9, 6), date(2027, 10, 11)),
        *(date(2027, 11, 11), date(2027, 11, 25), date(2027, 12, 24), date(2027, 12, 31)),
    ],
}
"""Days from Monday to Friday, by year."""


def is_closed(day: date) -> bool:
    """Whether nobody may be texted unasked on that day."""
    return day.weekday() >= 5 or day in CLOSED[day.year]
