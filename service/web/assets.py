"""Style, fonts and marks: read at start, under addresses that name their content.

An address never changes its content, so browsers keep it for good; a changed file has a new one.
"""

import re
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.web.bodies import Body, answer, make_body

STATIC = Path(__file__).parent / "static"
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_FOR_GOOD = "public, max-age=31536000, immutable"
_REFERENCE = re.compile(r'url\("([^":]+)"\)')


class Assets:
    """The files of one folder that browsers may fetch.

    Style sheets name others by their path here; the addresses are filled in at start.
    """

    def __init__(self, folder: Path = STATIC) -> None:
        self._bodies: dict[str, Body] = {}
        found = sorted(path for path in folder.rglob("*") if path.suffix in _MEDIA_TYPES)
        for path in sorted(found, key=lambda path: path.suffix == ".css"):
            content = path.read_bytes()
            if path.suffix == ".css":
                content = _REFERENCE.sub(self._filled_in, content.decode()).encode()
            name = path.relative_to(folder).as_posix()
            self._bodies[name] = make_body(content, _MEDIA_TYPES[path.suffix])

    def _filled_in(self, reference: re.Match[str]) -> str:
        return f'url("{self.url(reference[1])}")'

    def url(self, name: str) -> str:
        """Address of a file by its path in the folder."""
        return f"/static/{self._bodies[name].digest}/{name}"

    def routes(self) -> list[Route]:
        """Where they are served."""
        return [Route("/static/{digest}/{name:path}", self._serve, methods=["GET"])]

    async def _serve(self, request: Request) -> Response:
        body = self._bodies.get(request.path_params["name"])
        if body is None:
            raise HTTPException(404)
        # While versions change over, a page of one process may ask another for its own files.
        current = request.path_params["digest"] == body.digest
        return answer(request, body, cache_control=_FOR_GOOD if current else "no-cache")
