"""Programs and their join words."""

from collections.abc import Iterable

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from service.domain.keywords import Keyword as JoinWord
from service.store.tables import Keyword, Program


async def program_by_slug(session: AsyncSession, slug: str) -> Program | None:
    """A program to change."""
    return await session.scalar(select(Program).where(Program.slug == slug).with_for_update())


async def replace_keywords(
    session: AsyncSession, program_id: int, words: Iterable[JoinWord]
) -> None:
    """The program's join words become exactly these."""
    kept = {word.word: word.campaign for word in words}
    await session.execute(
        delete(Keyword).where(
            col(Keyword.program_id) == program_id, col(Keyword.word).not_in(list(kept))
        )
    )
    for word, campaign in kept.items():
        statement = insert(Keyword).values(program_id=program_id, word=word, campaign=campaign)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["program_id", "word"], set_={"campaign": campaign}
            )
        )
