"""A crowd of simulated members: joins, reads what arrives, answers, is counted."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from random import Random
from typing import Final

from emulator.inbound import InboundGateway, TypedText
from emulator.people import Action, Kind, Member, Persona, Wordings
from emulator.phonebook import Phonebook
from emulator.settings import Span

# Geographic area codes of the contiguous states, by time zone.
_AREA_CODES: Final = (
    "206 213 253 310 360 415 425 503 509 510 530 541 559 619 702 714 775 805 818 909 916 925 949 "
    "303 307 385 406 435 480 505 520 575 602 623 719 720 801 970 "
    "205 210 214 217 225 228 251 281 309 312 314 316 318 319 320 361 402 405 409 417 479 501 504 "
    "507 512 515 563 573 601 608 612 615 618 630 636 651 662 708 713 763 773 815 816 817 847 901 "
    "913 918 920 952 972 985 "
    "201 203 207 212 215 216 229 239 240 248 252 301 302 304 305 313 315 321 330 336 339 347 352 "
    "401 404 407 410 412 413 419 434 440 443 478 484 508 513 516 517 540 561 585 586 603 607 610 "
    "614 617 631 646 678 703 704 716 717 718 724 727 732 734 740 757 770 774 781 786 802 803 804 "
    "810 813 828 843 845 850 856 857 860 863 864 904 908 910 914 919 937 941 954 973 978"
)
AREA_CODES: Final = tuple(_AREA_CODES.split())
# No N11 service codes, and not 555, which no subscriber has.
EXCHANGES: Final = tuple(
    str(exchange) for exchange in range(220, 990) if exchange % 100 != 11 and exchange != 555
)


def crowd_numbers(members: int, seed: int) -> Sequence[str]:
    """Distinct American numbers, the same for the same seed.

    A larger crowd begins with the numbers of a smaller one.
    """
    random = Random(f"numbers:{seed}")
    numbers: dict[str, None] = {}
    while len(numbers) < members:
        area, exchange = random.choice(AREA_CODES), random.choice(EXCHANGES)
        numbers[f"+1{area}{exchange}{random.randrange(10_000):04}"] = None
    return list(numbers)


class Crowd:
    """Drives members against the product; a timer each, a task only while texting."""

    def __init__(self, inbound: InboundGateway, phonebook: Phonebook, span: Span) -> None:
        self._inbound = inbound
        self._phonebook = phonebook
        self._span = span
        self._wordings = Wordings.load()
        self._members: list[Member] = []
        self._counts: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending = 0

    @property
    def is_busy(self) -> bool:
        """Whether anybody still has something to type."""
        return self._pending > 0

    def gather(self, members: int, seed: int, keyword: str, joins_per_second: float) -> None:
        """Makes a new crowd in place of the old and lets it join."""
        for member in self._members:
            self._phonebook.phone(member.number).listener = None
        self._counts = Counter()
        self._members = [Member.of(number, seed) for number in crowd_numbers(members, seed)]
        join = Action(0.0, keyword, Kind.JOIN)
        for member in self._members:
            self._listen(member)
        self._pending += members
        self._start(self._join_all(list(self._members), join, joins_per_second))

    def answer_late(self) -> int:
        """Lets late members answer now; returns how many do."""
        late = [member for member in self._members if member.waits]
        for member in late:
            self._plan(member, member.answer_late(self._wordings, self._span))
        return len(late)

    def numbers(self) -> Sequence[str]:
        """The numbers of the members, in the order they join."""
        return [member.number for member in self._members]

    def counts(self) -> dict[str, int]:
        """How far everything is."""
        counts, members = self._counts, self._members
        phones = [self._phonebook.phone(member.number) for member in members]
        return {
            "members": len(members),
            "joined": sum(member.joined for member in members),
            "asked": sum(member.asked for member in members),
            "answered": counts[Kind.ANSWER] + counts[Kind.ANSWER_WITH_REASON],
            "followed_up": counts[Kind.FOLLOW_UP] + counts[Kind.ANSWER_WITH_REASON],
            "changed": counts[Kind.CHANGE],
            "repeated": counts[Kind.REPEAT],
            "stopped": counts[Kind.STOP],
            "silent": sum(m.asked and m.persona is Persona.SILENT for m in members),
            "unreadable": counts[Kind.UNREADABLE],
            "late_waiting": sum(member.waits for member in members),
            "undelivered": sum(phone.undelivered_texts for phone in phones),
            "pending": self._pending,
            "texts_in": counts["texts_in"],
            "texts_out": counts["texts_out"],
        }

    async def stop(self) -> None:
        """Leaves everything as it is."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _listen(self, member: Member) -> None:
        def read(body: str) -> None:
            self._counts["texts_out"] += 1
            self._plan(member, member.read(body, self._wordings, self._span))

        self._phonebook.phone(member.number).listener = read

    def _plan(self, member: Member, actions: Sequence[Action]) -> None:
        loop = asyncio.get_running_loop()
        self._pending += len(actions)
        for action in actions:
            loop.call_later(action.delay_seconds, self._begin, member, action)

    def _begin(self, member: Member, action: Action) -> None:
        self._start(self._act(member, action))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join_all(self, members: Sequence[Member], join: Action, per_second: float) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        for index, member in enumerate(members):
            ahead_seconds = started + index / per_second - loop.time()
            if ahead_seconds > 0.005:
                await asyncio.sleep(ahead_seconds)
            self._begin(member, join)

    async def _act(self, member: Member, action: Action) -> None:
        try:
            outcome = await self._inbound.send(member.number, TypedText(action.body))
        finally:
            self._pending -= 1
        if outcome.error_code is None:
            self._counts["texts_in"] += 1
            self._counts[action.kind] += 1
