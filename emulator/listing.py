"""The message list: filters, pages and the envelope around them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import inf
from typing import Final
from urllib.parse import urlencode

from emulator.messages import API_VERSION, Message, MessageLog

STANDARD_PAGE: Final = 50
LARGEST_PAGE: Final = 1000
# SDKs write "DateSent>" in a query, hands write "DateSent>=": the first "=" of
# the latter ends the key, so both mean the same to Twilio: the day included.
AFTER_KEYS: Final = ("DateSent>", "DateSent>=")
BEFORE_KEYS: Final = ("DateSent<", "DateSent<=")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages are wanted; times are seconds since 1970, ends included."""

    to: str = ""
    sender: str = ""
    sent_from: float | None = None
    sent_until: float | None = None
    created_until: float = inf

    def holds(self, message: Message) -> bool:
        """Whether a message is one of those; unsent ones have no date to match."""
        if self.sender and message.sender != self.sender:
            return False
        if message.created_at > self.created_until:
            return False
        if self.sent_from is None and self.sent_until is None:
            return True
        if message.sent_at is None:
            return False
        if self.sent_from is not None and message.sent_at < self.sent_from:
            return False
        return self.sent_until is None or message.sent_at <= self.sent_until


def _instant(text: str, *, end_of_day: bool) -> float:
    """Reads a date or a date with time; a bare date means one of its ends."""
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    if len(text) <= len("2021-03-30") and end_of_day:
        moment += timedelta(days=1, microseconds=-1)
    return moment.timestamp()


def read_filter(query: Mapping[str, str], created_until: float = inf) -> Filter:
    """Reads the query of a list request.

    Raises:
        ValueError: a date cannot be read.
    """
    sent_from = sent_until = None
    if query.get("DateSent"):
        sent_from = _instant(query["DateSent"], end_of_day=False)
        sent_until = _instant(query["DateSent"], end_of_day=True)
    for key in AFTER_KEYS:
        if query.get(key):
            sent_from = _instant(query[key], end_of_day=False)
    for key in BEFORE_KEYS:
        if query.get(key):
            sent_until = _instant(query[key], end_of_day=True)
    return Filter(query.get("To", ""), query.get("From", ""), sent_from, sent_until, created_until)


def list_messages(
    log: MessageLog, account_sid: str, query: Mapping[str, str], created_until: float = inf
) -> dict[str, object]:
    """One page, newest first, in Twilio's envelope with relative addresses.

    What was accepted after ``created_until`` has not come to the list yet.

    Page tokens name the message at the border, so that texts accepted
    meanwhile neither repeat nor hide a row.
    """
    wanted = read_filter(query, created_until)
    size = max(1, min(int(query.get("PageSize") or STANDARD_PAGE), LARGEST_PAGE))
    page = max(0, int(query.get("Page") or 0))
    rows, has_more = _page(log, wanted, query.get("PageToken", ""), page, size)
    address = f"/{API_VERSION}/Accounts/{account_sid}/Messages.json"
    kept = {key: value for key, value in query.items() if key not in {"Page", "PageToken"}}
    kept["PageSize"] = str(size)

    def uri(number: int, token: str) -> str:
        paging = {"Page": str(number)} | ({"PageToken": token} if token else {})
        return f"{address}?{urlencode(kept | paging)}"

    return {
        "messages": [message.resource(account_sid) for message in rows],
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(0, len(rows) - 1),
        "uri": uri(page, query.get("PageToken", "")),
        "first_page_uri": uri(0, ""),
        "next_page_uri": uri(page + 1, f"PA{rows[-1].sid}") if has_more else None,
        "previous_page_uri": uri(page - 1, f"PB{rows[0].sid}") if page and rows else None,
    }


def _page(
    log: MessageLog, wanted: Filter, token: str, page: int, size: int
) -> tuple[list[Message], bool]:
    border = log.find(token[2:]) if token else None
    if token.startswith("PB") and border is not None:
        edge = border.position
        newer = _matching(log.oldest_first(wanted.to), wanted, lambda m: m.position > edge)
        return list(islice(newer, size))[::-1], True
    rows = log.newest_first(wanted.to)
    if border is not None:
        edge = border.position
        found = _matching(rows, wanted, lambda m: m.position < edge)
        taken = list(islice(found, size + 1))
    else:
        found = _matching(rows, wanted, lambda m: True)
        taken = list(islice(found, page * size, (page + 1) * size + 1))
    return taken[:size], len(taken) > size


def _matching(
    messages: Iterator[Message], wanted: Filter, beyond: Callable[[Message], bool]
) -> Iterator[Message]:
    return (message for message in messages if beyond(message) and wanted.holds(message))
