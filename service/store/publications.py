"""Published results: which versions stand now, and what they say."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class PublishedPoll:
    """A poll's newest published version.

    Attributes:
        published_at: of this version, not of the first.
        results: as frozen at publication.
    """

    publication_id: int
    slug: str
    program_id: int
    version: int
    opened_at: datetime
    published_at: datetime
    results: dict[str, Any]


_NEWEST_IDS = text(
    "SELECT DISTINCT ON (poll_id) id FROM publication ORDER BY poll_id, version DESC"
)
_PUBLISHED = text(
    """
    SELECT n.id, p.slug, p.program_id, n.version, coalesce(p.opened_at, p.opens_at) AS opened_at,
           n.published_at, n.results
    FROM publication n JOIN poll p ON p.id = n.poll_id
    WHERE n.id = ANY(:ids)
    """
)


async def newest_publication_ids(session: AsyncSession) -> frozenset[int]:
    """Keys of the versions that stand now, one a published poll."""
    return frozenset((await session.scalars(_NEWEST_IDS)).all())


async def load_published(session: AsyncSession, ids: Collection[int]) -> Sequence[PublishedPoll]:
    """These versions, whole, in no promised order."""
    rows = await session.execute(_PUBLISHED, {"ids": list(ids)})
    return [PublishedPoll(*row) for row in rows]
