"""Reading the product's answer to an inbound text."""

from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

MOST_MESSAGES: Final = 10
LONGEST_BODY: Final = 1600
TWIML_TYPES: Final = frozenset({"text/xml", "application/xml", "text/html"})
BAD_CONTENT_TYPE: Final = 12300
BAD_DOCUMENT: Final = 12100


class TwimlError(ValueError):
    """The answer cannot be obeyed; ``code`` is Twilio's number for the reason."""

    def __init__(self, code: int) -> None:
        super().__init__(f"error {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Reply:
    """One text the product answers with; empty ``to`` means whoever wrote."""

    body: str
    to: str = ""
    status_callback: str = ""
    media: int = 0


def read_replies(content_type: str, text: str) -> list[Reply]:
    """Reads the answer by its content type.

    Plain text is sent to the writer word for word, as Twilio historically did:
    an "OK" in the wrong type reaches members, here as there.

    Raises:
        TwimlError: the type is not supported or the document cannot be read.

    >>> read_replies("text/xml", "<Response><Message>Hi</Message></Response>")
    [Reply(body='Hi', to='', status_callback='', media=0)]
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "text/plain":
        return [Reply(text)] if text.strip() else []
    if kind not in TWIML_TYPES:
        raise TwimlError(BAD_CONTENT_TYPE)
    if not text.strip():
        return []
    try:
        # Comes from the product under test, whose harm would be to itself.
        root = ElementTree.fromstring(text.strip())  # noqa: S314
    except ElementTree.ParseError as failure:
        raise TwimlError(BAD_DOCUMENT) from failure
    if root.tag != "Response":
        raise TwimlError(BAD_DOCUMENT)
    verbs = [verb for verb in root if verb.tag in {"Message", "Sms"}][:MOST_MESSAGES]
    replies = [_reply(verb) for verb in verbs]
    return [reply for reply in replies if _sendable(reply)]


def _reply(verb: ElementTree.Element) -> Reply:
    parts = [verb.text or ""]
    for child in verb:
        if child.tag == "Body":
            parts.append(child.text or "")
        parts.append(child.tail or "")
    return Reply(
        body="".join(parts).strip(),
        to=verb.get("to", ""),
        status_callback=verb.get("statusCallback", ""),
        media=sum(1 for child in verb if child.tag == "Media"),
    )


def _sendable(reply: Reply) -> bool:
    """Twilio drops empty and over-long bodies (14103) and sends the others."""
    return len(reply.body) <= LONGEST_BODY and bool(reply.body or reply.media)
