"""Settings as a person may see them: nothing that opens a door."""

import re
from urllib.parse import urlsplit

_SHORT = 16
_SID = re.compile(r"(AC|SK)[0-9a-fA-F]{32}")
_CREDENTIALS = re.compile(r"(?P<scheme>[^:/]+://)(?P<user>[^:@/]*)(?P<password>:.*)?@")
_PASSWORD_PARAMETER = re.compile(r"(?i)(password|passwd)=[^&#]*")


def mask_secret(value: str) -> str:
    """Whether a secret is set, with its end to tell two apart; a comma list shows each end.

    >>> mask_secret("")
    'not set'
    >>> mask_secret("4f9be1c0a7d24e6f8b1a"), mask_secret("hunter2")
    ('set (…1a)', 'set (too short to show its end)')
    >>> mask_secret("4f9be1c0a7d24e6f8b1a,0a1b2c3d4e5f60718293")
    'set (…1a, …93)'
    """
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not parts:
        return "not set"
    if any(len(part) < _SHORT for part in parts):
        return "set (too short to show its end)"
    return f"set ({', '.join('…' + part[-2:] for part in parts)})"


def mask_sid(value: str) -> str:
    """A SID is no secret; something else in its place may be one.

    >>> mask_sid("a token pasted on the wrong line")
    'set (…ne), but no SID'
    """
    if not value or _SID.fullmatch(value):
        return value or "not set"
    return mask_secret(value) + ", but no SID"


def mask_address(value: str) -> str:
    """An address without the password in it.

    >>> mask_address("postgresql://ana:se/cr@et@db.example.org:5432/poll?sslmode=require")
    'postgresql://ana:***@db.example.org:5432/poll?sslmode=require'
    >>> mask_address("postgresql://ana:secret")
    'set, but cannot be read'
    """
    shown = value
    whole = _CREDENTIALS.match(value)
    # A password may hold "@" and "/" where they should have been encoded: up to the last "@".
    if whole:
        password = ":***" if whole["password"] else ""
        shown = f"{whole['scheme']}{whole['user']}{password}@{value[whole.end() :]}"
    try:
        if urlsplit(shown).port is None and not urlsplit(shown).netloc and "?" not in shown:
            return "set, but cannot be read"
    except ValueError:
        return "set, but cannot be read"
    return _PASSWORD_PARAMETER.sub(r"\1=***", shown)
