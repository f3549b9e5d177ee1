"""Received texts. One that is attributed to a question is a reply."""

from datetime import datetime

from sqlalchemy import LargeBinary, Text
from sqlmodel import Field, Index, SQLModel, text

from service.domain.conversation import Outcome, Waiting
from service.store.tables.base import Instant, checked, identity, pointer


class InboundText(SQLModel, table=True):
    """A text as received, what it was read as, and the answer given, kept for duplicates."""

    __tablename__ = "inbound_text"
    __table_args__ = (
        Index(
            "ix_inbound_text_reply",
            "question_id",
            "subscriber_id",
            postgresql_where=text("question_id IS NOT NULL"),
        ),
        Index("ix_inbound_text_number_key", "number_key", "id"),
        Index(
            "ix_inbound_text_waiting",
            "subscriber_id",
            "id",
            postgresql_where=text("waiting IS NOT NULL"),
        ),
    )

    id: int | None = identity()
    message_sid: str = Field(sa_type=Text, unique=True)
    program_id: int | None = pointer(optional=True)
    subscriber_id: int | None = pointer(optional=True)
    question_id: int | None = pointer(optional=True)
    number_key: bytes = Field(sa_type=LargeBinary)
    number: str = Field(sa_type=Text)
    to_number: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    media_count: int = 0
    label: str = Field(sa_type=Text)
    rule: str = Field(sa_type=Text)
    outcome: Outcome | None = Field(default=None, sa_type=checked(Outcome))
    received_at: datetime = Field(sa_type=Instant)
    waiting: Waiting | None = Field(default=None, sa_type=checked(Waiting))
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    settled_by: str | None = Field(default=None, sa_type=Text)
    response_body: str | None = Field(default=None, sa_type=Text)
    response_delivery_id: int | None = pointer(optional=True)
