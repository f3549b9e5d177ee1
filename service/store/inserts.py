"""Many rows written in one statement, whatever their number."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from service.store.quick import Statement


def _unnested(model: type[SQLModel], columns: Iterable[str]) -> str:
    """``unnest(…)`` of an array a column, each of the column's type; no array or JSON columns."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    arrays = (
        f"CAST(:{name} AS {table.c[name].type.compile(dialect=dialect)}[])" for name in columns
    )
    return f"unnest({', '.join(arrays)})"


@cache
def _insert_statement(model: type[SQLModel], columns: tuple[str, ...], tail: str) -> Statement:
    return Statement(
        f"INSERT INTO {model.__tablename__} ({', '.join(columns)}) "
        f"SELECT * FROM {_unnested(model, columns)} {tail}"
    )


async def insert_many(
    session: AsyncSession,
    model: type[SQLModel],
    rows: Sequence[Mapping[str, Any]],
    *,
    tail: str = "",
) -> Sequence[Any]:
    """Write many rows of one table in one statement, whatever their number.

    Args:
        rows: mappings with the same columns; no array or JSON columns.
        tail: ``ON CONFLICT …`` and ``RETURNING …``, where wanted.

    Returns:
        What RETURNING gave, in no promised order; nothing without it.
    """
    if not rows:
        return ()
    columns = tuple(rows[0])
    statement = _insert_statement(model, columns, tail)
    return await statement.rows(session, {name: [row[name] for row in rows] for name in columns})
