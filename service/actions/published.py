"""Everything the public may read: published results and the programs that people can join."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.domain.programs import Program
from service.runtime import Runtime
from service.store.publications import PublishedPoll, load_published, newest_publication_ids


@dataclass(frozen=True, slots=True)
class Published:
    """What is public at one moment.

    Attributes:
        programs: in the order they were made.
        polls: by key of the version that stands.
    """

    programs: tuple[Program, ...] = ()
    polls: Mapping[int, PublishedPoll] = field(default_factory=dict)

    def newest_first(self) -> list[PublishedPoll]:
        """The polls, by the day they were conducted."""
        return sorted(
            self.polls.values(), key=lambda poll: (poll.opened_at, poll.slug), reverse=True
        )


async def read_published(runtime: Runtime, known: Published) -> Published:
    """What is public now; ``known`` itself where nothing has changed since.

    Versions are never rewritten, so only those not in ``known`` are loaded.
    """
    async with runtime.sessions() as session:
        programs = (await runtime.catalog.programs(session)).all
        standing = await newest_publication_ids(session)
        if standing == known.polls.keys() and programs == known.programs:
            return known
        loaded = await load_published(session, standing - known.polls.keys())
    polls = {key: poll for key, poll in known.polls.items() if key in standing}
    polls |= {poll.publication_id: poll for poll in loaded}
    return Published(programs, polls)
