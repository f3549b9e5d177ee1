"""The emulator's one clock, which can run on another day than the machine's."""

import time
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache


@lru_cache(maxsize=4096)
def _rfc2822(whole_seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(whole_seconds, UTC))


def rfc2822(timestamp: float | None) -> str | None:
    """The form of dates in Twilio's answers.

    >>> rfc2822(1692853305.0)
    'Thu, 24 Aug 2023 05:01:45 +0000'
    """
    return None if timestamp is None else _rfc2822(int(timestamp))


def iso8601(timestamp: float) -> str:
    """The form of dates in the control API."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds")


def carrier_stamp(timestamp: float) -> str:
    """``YYMMDDhhmm``, the form of dates in delivery receipts of carriers."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%y%m%d%H%M")


class Clock:
    """Real time plus a fixed distance, so that a demo can run on a past day."""

    def __init__(self, offset_seconds: float) -> None:
        self._offset_seconds = offset_seconds

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._offset_seconds
