"""What is known of numbers as such: carriers' reports of those given up, and look-ups."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Final

from emulator.clock import Clock
from emulator.creation import PHONE
from emulator.phonebook import Phonebook

LINK_SECONDS: Final = 120.0
LANDLINE: Final = 30006
FIRST_DAY: Final = date(2020, 8, 27)


class Numbers:
    """Reports by day, the short-lived links to them, and what a look-up tells."""

    def __init__(self, clock: Clock, phonebook: Phonebook) -> None:
        self._clock = clock
        self._phonebook = phonebook
        self._given_up: defaultdict[date, list[str]] = defaultdict(list)
        self._links: dict[str, tuple[date, float]] = {}

    @property
    def today(self) -> date:
        """The emulator's day, in UTC."""
        return datetime.fromtimestamp(self._clock.now(), UTC).date()

    def give_up(self, numbers: Iterable[str], day: date) -> None:
        """The carriers report that these were given up on that day."""
        self._given_up[day] += numbers

    def make_link(self, query: Mapping[str, str]) -> str | None:
        """The path of a day's report, open for two minutes; None where there is none.

        Raises:
            ValueError: the day cannot be read.
        """
        day = date.fromisoformat(query.get("Date", ""))
        if not FIRST_DAY <= day < self.today:
            return None
        token = secrets.token_hex(8)
        self._links[token] = (day, self._clock.now() + LINK_SECONDS)
        return f"/reports/{token}.txt"

    def report(self, token: str) -> str | None:
        """A report by its link, one number a line without a plus sign, while the link lasts."""
        day, expires = self._links.get(token, (FIRST_DAY, 0.0))
        if expires < self._clock.now():
            return None
        return "".join(f"{number.removeprefix('+')}\n" for number in self._given_up[day])

    def look_up(self, number: str, fields: str) -> dict[str, object]:
        """What Lookup v2 tells: whether it is a number, and its kind of line where asked."""
        is_valid = PHONE.fullmatch(number) is not None
        found: dict[str, object] = {
            "calling_country_code": "1" if number.startswith("+1") else None,
            "country_code": "US" if number.startswith("+1") else None,
            "phone_number": number,
            "valid": is_valid,
            "validation_errors": [] if is_valid else ["INVALID_LENGTH"],
            "line_type_intelligence": None,
            "url": f"https://lookups.twilio.com/v2/PhoneNumbers/{number}",
        }
        if is_valid and "line_type_intelligence" in fields.split(","):
            is_landline = self._phonebook.phone(number).undelivered_code == LANDLINE
            found["line_type_intelligence"] = {
                "type": "landline" if is_landline else "mobile",
                "carrier_name": "Emulated",
                "mobile_country_code": None if is_landline else "310",
                "mobile_network_code": None if is_landline else "000",
                "error_code": None,
            }
        return found
