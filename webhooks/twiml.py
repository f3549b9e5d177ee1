"""TwiML, as little of it as is needed."""

from xml.sax.saxutils import escape, quoteattr

from webhooks.door import Reply

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_HEADERS = ((b"content-type", b"text/xml; charset=utf-8"),)
_SILENCE = Reply(200, f"{_HEAD}<Response/>".encode(), _HEADERS)


def twiml(body: str | None, status_callback: str = "") -> Reply:
    """The answer to an inbound text; ``<Response/>`` when there is nothing to say."""
    if body is None:
        return _SILENCE
    callback = f" statusCallback={quoteattr(status_callback)}" if status_callback else ""
    content = f"{_HEAD}<Response><Message{callback}>{escape(body)}</Message></Response>"
    return Reply(200, content.encode(), _HEADERS)
