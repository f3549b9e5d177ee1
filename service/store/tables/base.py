"""What all tables share: names for constraints, instants in UTC, enums as checked text."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Identity
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """``timestamptz`` that refuses naive values and always gives UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone before it is stored as a wrong one."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The stored instant, in UTC."""
        return None if value is None else value.astimezone(UTC)


def checked(kind: type[StrEnum]) -> Any:
    """Text column type for an enum, with a CHECK on its values."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=None,
        name=kind.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )


def identity() -> Any:
    """The ``bigint`` identity key of most tables; its order is the order of writing."""
    return Field(
        default=None,
        primary_key=True,
        sa_type=BigInteger,
        sa_column_args=(Identity(),),
    )


def reference(target: str, **options: Any) -> Any:
    """A ``bigint`` foreign key to ``table.id``."""
    return Field(foreign_key=target, sa_type=BigInteger, **options)


def pointer(*, optional: bool = False, is_key: bool = False) -> Any:
    """A ``bigint`` key of a row that is never deleted, unchecked on writing.

    For tables that grow with every text: checking took half of a fan-out. The row was read in the
    same transaction, and a test holds the store to deleting none of these.

    Args:
        is_key: part of its own table's primary key.
    """
    if optional:
        return Field(default=None, sa_type=BigInteger)
    return Field(primary_key=is_key, sa_type=BigInteger)
