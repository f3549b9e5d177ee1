"""Texts that go to many of a poll's people besides its questions: reminder, results text."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from service.store.tables.base import Instant, identity, reference


class Broadcast(SQLModel, table=True):
    """One of them, its words frozen when the poll was scheduled; each goes out once.

    ``texts`` holds body and segments by language. ``after_id`` is the last subscriber covered.
    """

    __tablename__ = "broadcast"
    __table_args__ = (
        UniqueConstraint("poll_id", "purpose"),
        CheckConstraint("purpose IN ('reminder', 'results')", name="purpose"),
    )

    id: int | None = identity()
    poll_id: int = reference("poll.id")
    purpose: str = Field(sa_type=Text)
    texts: dict[str, Any] = Field(sa_type=JSONB)
    after_id: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    done_at: datetime | None = Field(default=None, sa_type=Instant)
