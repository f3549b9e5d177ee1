"""``/``, ``/polls/{slug}``, ``/terms``, ``/privacy``, and the page for what is not there."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.domain.programs import Program
from service.domain.wording import call_to_action
from service.runtime import Runtime
from service.web.bodies import Body, answer
from service.web.public.editions import Edition, Editions
from service.web.public.view import PollView
from service.web.templating import Templates

_SHORTLY = "public, max-age=10"
_EARLIER_POLLS = 5


class PublicPages:
    """Answers readers from the current edition."""

    def __init__(self, runtime: Runtime, templates: Templates) -> None:
        self._editions = Editions(runtime)
        self._templates = templates
        self._base_url = runtime.public_base_url

    def routes(self) -> list[Route]:
        """Where the pages are."""
        return [
            Route("/", self.home, methods=["GET"]),
            Route("/polls/{slug}", self.poll, methods=["GET"]),
            Route("/terms", self.terms, methods=["GET"]),
            Route("/privacy", self.privacy, methods=["GET"]),
        ]

    async def home(self, request: Request) -> Response:
        """All published polls, the newest in full."""
        edition = await self._editions.current()
        return self._answer(request, edition, "/", "public/home.html")

    async def poll(self, request: Request) -> Response:
        """One result; a poll that is not published is not there."""
        edition = await self._editions.current()
        poll = edition.poll(request.path_params["slug"])
        if poll is None:
            return await self.missing(request)
        path = f"/polls/{poll.slug}"
        body = edition.page(path, lambda: self._render_poll(edition, poll, path))
        return answer(request, body, cache_control=_SHORTLY)

    async def terms(self, request: Request) -> Response:
        """What members agree to."""
        edition = await self._editions.current()
        return self._answer(request, edition, "/terms", "public/terms.html")

    async def privacy(self, request: Request) -> Response:
        """What becomes of numbers and answers."""
        edition = await self._editions.current()
        return self._answer(request, edition, "/privacy", "public/privacy.html")

    async def missing(self, request: Request) -> Response:
        """404, with ways on. The same for drafts as for nonsense: it tells nothing."""
        edition = await self._editions.current()
        body = edition.page("404", self._renderer(edition, "404", "public/missing.html"))
        return answer(request, body, cache_control="no-store", status=404)

    def _answer(self, request: Request, edition: Edition, path: str, template: str) -> Response:
        body = edition.page(path, self._renderer(edition, path, template))
        return answer(request, body, cache_control=_SHORTLY)

    def _renderer(self, edition: Edition, path: str, template: str) -> Callable[[], Body]:
        programs = list(edition.programs.values())
        return lambda: self._render(
            template, path, edition.site_name, programs, polls=edition.polls
        )

    def _render_poll(self, edition: Edition, poll: PollView, path: str) -> Body:
        program = edition.program_of(poll)
        earlier = [
            other
            for other in edition.polls
            if other.program_id == poll.program_id and other.conducted_on < poll.conducted_on
        ]
        return self._render(
            "public/poll.html",
            path,
            poll.brand,
            [program],
            poll=poll,
            earlier=earlier[:_EARLIER_POLLS],
        )

    def _render(
        self, template: str, path: str, site_name: str, programs: list[Program], **values: object
    ) -> Body:
        return self._templates.page(
            template,
            site_name=site_name,
            address=self._base_url + path,
            programs=programs,
            call_to_action=call_to_action,
            **values,
        )
