"""The one clock. Everything that needs the time is given a ``Clock`` or a ``now``."""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time plus a fixed offset, so a whole installation can run as if on another day.

    Args:
        offset: added to real time; every process of one installation shares the same one.
    """

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC) + self.offset

    @staticmethod
    def monotonic_seconds() -> float:
        """Seconds that never go back, for measuring durations only."""
        return time.monotonic()
