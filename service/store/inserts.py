"""Many rows written in one statement, whatever their number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

from service.store.quick import Statement


@dataclass(frozen=True, slots=True)
class Insert:
    """Rows for one table, given as an array a column; no array or JSON columns.

    Attributes:
        tail: ``ON CONFLICT …`` and ``RETURNING …``, where wanted.
        found: columns that are not given: the expression for each, over ``given`` and ``joined``.
        joined: ``JOIN …`` to ``given``, where ``found`` needs it.
    """

    model: type[SQLModel]
    columns: tuple[str, ...]
    tail: str = ""
    found: Mapping[str, str] = field(default_factory=dict)
    joined: str = ""

    def sql(self, prefix: str = "") -> str:
        """The statement; parameters are named as the columns, after ``prefix``."""
        table: Table = self.model.__table__  # type: ignore[attr-defined]
        dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
        arrays = ", ".join(
            f"CAST(:{prefix}{name} AS {table.c[name].type.compile(dialect=dialect)}[])"
            for name in self.columns
        )
        names = ", ".join(self.columns)
        return (
            f"INSERT INTO {table.name} ({', '.join((*self.columns, *self.found))}) "
            f"SELECT {', '.join(('given.*', *self.found.values()))} "
            f"FROM unnest({arrays}) AS given ({names}) {self.joined} {self.tail}"
        )

    def values(self, rows: Sequence[Mapping[str, Any]], prefix: str = "") -> dict[str, list[Any]]:
        """The parameters for ``rows``, which must have every column."""
        return {f"{prefix}{name}": [row[name] for row in rows] for name in self.columns}


@cache
def _insert_statement(model: type[SQLModel], columns: tuple[str, ...], tail: str) -> Statement:
    return Statement(Insert(model, columns, tail).sql())


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
    return await statement.rows(session, Insert(model, columns).values(rows))
