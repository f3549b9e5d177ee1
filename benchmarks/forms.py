"""Signed webhook requests, as bytes ready to be posted."""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import urlencode

from benchmarks.people import SENDER, number
from benchmarks.rig import ACCOUNT, PUBLIC, TOKEN

BODIES = ("Yes", "No", "yes", "no", "YES", "Y", "N", "Yes we do.", "no, not yet", "Yes!")
_PLACES = {
    "ToCity": "",
    "ToState": "",
    "ToZip": "",
    "ToCountry": "US",
    "FromCity": "DENVER",
    "FromState": "CO",
    "FromZip": "80201",
    "FromCountry": "US",
    "NumMedia": "0",
    "NumSegments": "1",
    "SmsStatus": "received",
    "ApiVersion": "2010-04-01",
    "AddOns": '{"status":"successful","message":null,"code":null,"results":{}}',
}
_STRIDE = 7919  # a prime: neighbours in time are not neighbours in the table


def text_from(index: int, people: int) -> bytes:
    """A member's text with a MessageSid of its own: 20 fields."""
    sid = f"SM{secrets.token_hex(16)}"
    fields = {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "AccountSid": ACCOUNT,
        "From": number(index * _STRIDE % people),
        "To": SENDER,
        "Body": BODIES[index % len(BODIES)],
        **_PLACES,
    }
    return posted("/webhooks/twilio/inbound", fields)


def receipt_for(delivery_id: int, sid: str, status: str, to: str) -> bytes:
    """A status callback."""
    fields = {
        "MessageSid": sid,
        "SmsSid": sid,
        "MessageStatus": status,
        "SmsStatus": status,
        "AccountSid": ACCOUNT,
        "From": SENDER,
        "To": to,
        "ApiVersion": "2010-04-01",
        "RawDlrDoneDate": "2611221200",
    }
    return posted(f"/webhooks/twilio/status?delivery={delivery_id}", fields)


def posted(target: str, fields: dict[str, str]) -> bytes:
    """A signed POST."""
    signed = PUBLIC + target + "".join(key + fields[key] for key in sorted(fields))
    mac = hmac.new(TOKEN.encode(), signed.encode(), hashlib.sha1)
    signature = base64.b64encode(mac.digest()).decode()
    body = urlencode(fields)
    return (
        f"POST {target} HTTP/1.1\r\nHost: polls.example.org\r\nUser-Agent: TwilioProxy/1.1\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
        f"X-Twilio-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def got(target: str) -> bytes:
    """A GET."""
    return f"GET {target} HTTP/1.1\r\nHost: polls.example.org\r\n\r\n".encode()
