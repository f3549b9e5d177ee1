"""TwiML, as little of it as is needed."""

from xml.sax.saxutils import escape, quoteattr

from starlette.responses import Response

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def twiml(body: str | None, status_callback: str = "") -> Response:
    """The answer to an inbound text; ``<Response/>`` when there is nothing to say."""
    if body is None:
        content = f"{_HEAD}<Response/>"
    else:
        callback = f" statusCallback={quoteattr(status_callback)}" if status_callback else ""
        content = f"{_HEAD}<Response><Message{callback}>{escape(body)}</Message></Response>"
    return Response(content, media_type="text/xml")
