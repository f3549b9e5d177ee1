"""How many calls to the carrier may be in flight, by how the last ones ended. Pure: no waiting.

Two dangers, two rules. A carrier that asks to slow down (429) has taken nothing, so calls go on,
half as many at once. A carrier that gives no answer leaves each text in doubt, so after some in a
row nothing more is handed over for a while, and then a single text tries the ground.
"""

from datetime import datetime, timedelta

SILENT_CALLS = 10
"""So many calls in a row without an answer, and the carrier counts as silent."""
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(seconds=60)


class Concurrency:
    """Calls at once: halved when the carrier asks to slow down, one more for each round that works.

    Calls that were already under way at the last halving do not halve again: they all met the
    same moment.

    Attributes:
        most: never more than these.
        halvings: how often the number was halved; a call remembers it as its mark.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.halvings = 0
        self._level = float(most)

    @property
    def allowed(self) -> int:
        """Calls that may be in flight now, at least 1."""
        return int(self._level)

    def succeeded(self) -> None:
        """A call was answered; ``allowed`` of these make one more."""
        self._level = min(float(self.most), self._level + 1 / self._level)

    def slowed(self, mark: int) -> None:
        """A call that began at ``mark`` was answered with 429."""
        if mark == self.halvings:
            self.halvings += 1
            self._level = float(max(1, self.allowed // 2))

    def start_anew(self) -> None:
        """Begin with a single call, as after a silence."""
        self._level = 1.0


class Breaker:
    """Opens when the carrier is silent; then nothing is handed over, but one text now and then."""

    def __init__(self) -> None:
        self._until: datetime | None = None
        self.answered()

    def may_call(self, now: datetime) -> bool:
        """Whether any text may be handed over now; while :attr:`is_open`, only one."""
        return self._until is None or (now >= self._until and not self._probing)

    @property
    def is_open(self) -> bool:
        """Whether the carrier counts as silent."""
        return self._until is not None

    def probe(self) -> None:
        """The one text is on its way."""
        self._probing = self.is_open

    def withdrawn(self) -> None:
        """The one text was not handed over after all."""
        self._probing = False

    def answered(self) -> None:
        """The carrier answered, whatever it said."""
        self._silent = 0
        self._pause = FIRST_PAUSE
        self._until = None
        self._probing = False

    def was_silent(self, now: datetime) -> None:
        """A call ended without an answer; those begun before the pause do not lengthen it."""
        self._silent += 1
        if self._until is None and self._silent >= SILENT_CALLS:
            self._until = now + self._pause
        elif self._probing:
            self._probing = False
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self._until = now + self._pause
