"""People: subscribers, what they consented to, and the numbers that said stop."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, Index, SQLModel, text

from service.domain.consent import ConsentEventKind, SubscriberState
from service.store.tables.base import Instant, checked, identity, reference


class Subscriber(SQLModel, table=True):
    """A phone number in a program. ``number_key`` is its HMAC, the only key looked up."""

    __tablename__ = "subscriber"
    __table_args__ = (
        UniqueConstraint("program_id", "number_key"),
        Index(
            "ix_subscriber_audience",
            "program_id",
            "id",
            postgresql_where=text("state = 'active'"),
        ),
        Index("ix_subscriber_number_key", "number_key"),
    )

    id: int | None = identity()
    program_id: int = reference("program.id")
    number_key: bytes = Field(sa_type=LargeBinary)
    number: str = Field(sa_type=Text)
    state: SubscriberState = Field(sa_type=checked(SubscriberState))
    hold: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    review: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    timezone: str | None = Field(default=None, sa_type=Text)
    language: str = Field(default="en", sa_type=Text, sa_column_kwargs={"server_default": "en"})
    campaign: str | None = Field(default=None, sa_type=Text)
    attributes: dict[str, Any] = Field(
        default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"}
    )
    created_at: datetime = Field(sa_type=Instant)
    state_at: datetime = Field(sa_type=Instant)


class OptOut(SQLModel, table=True):
    """A number that once said stop. Kept for good: nothing but its handset brings it back."""

    __tablename__ = "opt_out"

    number_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    first_at: datetime = Field(sa_type=Instant)
    last_at: datetime = Field(sa_type=Instant)


class ConsentEvent(SQLModel, table=True):
    """Append-only evidence of consent and its end."""

    __tablename__ = "consent_event"
    __table_args__ = (Index("ix_consent_event_number_key", "number_key", "id"),)

    id: int | None = identity()
    number_key: bytes = Field(sa_type=LargeBinary)
    program_id: int | None = Field(default=None, foreign_key="program.id", sa_type=BigInteger)
    kind: ConsentEventKind = Field(sa_type=checked(ConsentEventKind))
    medium: str = Field(sa_type=Text)
    campaign: str | None = Field(default=None, sa_type=Text)
    wording: str = Field(default="", sa_type=Text)
    wording_hash: str = Field(default="", sa_type=Text)
    raw_words: str = Field(default="", sa_type=Text)
    message_sid: str | None = Field(default=None, sa_type=Text)
    ip: str | None = Field(default=None, sa_type=Text)
    actor: str = Field(sa_type=Text)
    rule: str = Field(sa_type=Text)
    occurred_at: datetime = Field(sa_type=Instant)
