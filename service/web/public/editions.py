"""What is public, as last read, with its pages rendered once each.

A page stays as it is until something public changes; then a new edition begins. Editions are at
most a second old while the database answers, and stay readable while it is away.
"""

import asyncio
import logging
from collections.abc import Callable

from service.actions.published import Published, read_published
from service.clock import Clock
from service.domain.programs import Program
from service.runtime import Runtime
from service.store.engine import describe
from service.web.bodies import Body
from service.web.public.view import PollView, view

_log = logging.getLogger(__name__)

_FRESH_SECONDS = 1.0
_PATIENCE_SECONDS = 2.0


class Edition:
    """Everything public at one moment.

    Attributes:
        polls: newest first.
        programs: by key.
    """

    def __init__(self, published: Published) -> None:
        self.published = published
        self.programs = {program.identifier: program for program in published.programs}
        self.polls = [view(p, self.programs[p.program_id]) for p in published.newest_first()]
        self._by_slug = {poll.slug: poll for poll in self.polls}
        self._pages: dict[str, Body] = {}

    def poll(self, slug: str) -> PollView | None:
        """A published poll."""
        return self._by_slug.get(slug)

    def page(self, path: str, render: Callable[[], Body]) -> Body:
        """The page at ``path``, rendered at its first reading."""
        body = self._pages.get(path)
        if body is None:
            body = self._pages[path] = render()
        return body

    @property
    def site_name(self) -> str:
        """The one program's brand, or what several have in common."""
        programs = list(self.programs.values())
        if len(programs) == 1:
            return programs[0].name
        organizations = {program.organization for program in programs}
        return organizations.pop() if len(organizations) == 1 else "Polls"

    def program_of(self, poll: PollView) -> Program:
        """The program a poll belongs to, as it is now."""
        return self.programs[poll.program_id]


class Editions:
    """Keeps the current edition of one process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._edition: Edition | None = None
        self._read_at = float("-inf")
        self._reading: asyncio.Task[Edition] | None = None

    async def current(self) -> Edition:
        """The edition of this moment.

        Raises:
            Exception: the database is away and nothing was ever read.
        """
        if self._edition and Clock.monotonic_seconds() - self._read_at < _FRESH_SECONDS:
            return self._edition
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(self._read_is_over)
        reading = self._reading
        if self._edition is None:
            return await asyncio.shield(reading)
        await asyncio.wait([reading], timeout=_PATIENCE_SECONDS)
        return self._edition

    async def _read(self) -> Edition:
        known = self._edition.published if self._edition else Published()
        published = await read_published(self._runtime, known)
        if self._edition is None or published is not known:
            self._edition = Edition(published)
        return self._edition

    def _read_is_over(self, reading: "asyncio.Task[Edition]") -> None:
        """Whatever came of it, the next look is due a second later."""
        self._reading = None
        self._read_at = Clock.monotonic_seconds()
        if not reading.cancelled() and (error := reading.exception()):
            _log.warning("pages stay as they were: %s", describe(error))
