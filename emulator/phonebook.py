"""The phones at the far end: what lies on them and how they are reached."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.clock import Clock, iso8601
from emulator.messages import Message


@dataclass(frozen=True, slots=True)
class ScreenText:
    """A text as the phone's owner sees it: ``sent`` by them or ``received``."""

    direction: str
    body: str
    sid: str
    at: float

    def view(self) -> dict[str, object]:
        """The text in the control API."""
        return {
            "direction": self.direction,
            "body": self.body,
            "sid": self.sid,
            "at": iso8601(self.at),
        }


@dataclass(slots=True)
class Phone:
    """One handset.

    ``driven`` marks a phone somebody types on, which texts always reach unless
    ``undelivered_code`` was set; ``listener`` is told of every text that arrives.
    """

    number: str
    texts: list[ScreenText] = field(default_factory=list)
    blocked: bool = False
    driven: bool = False
    undelivered_code: int | None = None
    undelivered_texts: int = 0
    listener: Callable[[str], None] | None = None
    # Texts of one phone leave one after another, in the order typed.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


def normalise(number: str) -> str:
    """E.164, also of a ten-digit American number or where a URL lost the plus sign.

    >>> normalise(" 13035550123"), normalise("+13035550123"), normalise("303-555-0123")
    ('+13035550123', '+13035550123', '+13035550123')
    """
    digits = "".join(character for character in number if character.isdigit())
    return f"+1{digits}" if len(digits) == 10 else f"+{digits}"


class Phonebook:
    """Every phone that was ever reached or typed on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._phones: dict[str, Phone] = {}

    def phone(self, number: str) -> Phone:
        """The phone of that number, made when first needed."""
        phone = self._phones.get(number)
        if phone is None:
            phone = self._phones[number] = Phone(number)
        return phone

    def numbers(self) -> list[str]:
        """The numbers of all phones, oldest first."""
        return list(self._phones)

    def typed(self, phone: Phone, message: Message) -> None:
        """Puts an outgoing text on the owner's screen."""
        phone.texts.append(ScreenText("sent", message.body, message.sid, message.created_at))

    def arrived(self, phone: Phone, body: str, sid: str) -> None:
        """Puts an incoming text on the screen and tells whoever holds the phone."""
        phone.texts.append(ScreenText("received", body, sid, self._clock.now()))
        if phone.listener is not None:
            phone.listener(body)
