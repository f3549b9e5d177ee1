"""Bodies made once and answered many times: compressed ahead, with a validator."""

import gzip
import hashlib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Body:
    """What one address answers.

    Attributes:
        packed: gzip of ``content``; ``None`` where that would save nothing.
        digest: names the content, for addresses and validators.
    """

    content: bytes
    packed: bytes | None
    media_type: str
    digest: str


def make_body(content: bytes, media_type: str) -> Body:
    """Prepare ``content`` once."""
    packed = gzip.compress(content, 9, mtime=0)
    return Body(
        content=content,
        packed=packed if len(packed) < 0.9 * len(content) else None,
        media_type=media_type,
        digest=hashlib.sha256(content).hexdigest()[:12],
    )


def answer(request: Request, body: Body, *, cache_control: str, status: int = 200) -> Response:
    """The body, or 304 where the asker has it already."""
    # A weak validator, for the compressed and the plain form are told apart by Vary alone.
    headers = {
        "etag": f'W/"{body.digest}"',
        "cache-control": cache_control,
        "vary": "Accept-Encoding",
    }
    if status == 200 and headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = body.content
    if body.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content = body.packed
        headers["content-encoding"] = "gzip"
    return Response(content, status, headers, media_type=body.media_type)
