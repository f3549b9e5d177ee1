"""Polls, their questions and choices, and what was published of them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Numeric, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from service.domain.polls import PollState, QuestionKind
from service.store.tables.base import Instant, checked, identity, reference


class Poll(SQLModel, table=True):
    """One dated sending. ``version`` rises with every change that readers of replies must see."""

    __tablename__ = "poll"
    __table_args__ = (
        CheckConstraint("closes_at > opens_at", name="span"),
        CheckConstraint(
            "state IN ('draft', 'cancelled') OR (opens_at IS NOT NULL AND closes_at IS NOT NULL)",
            name="dated",
        ),
    )

    id: int | None = identity()
    program_id: int = reference("program.id")
    slug: str = Field(sa_type=Text, unique=True)
    title: str = Field(sa_type=Text)
    state: PollState = Field(default=PollState.DRAFT, sa_type=checked(PollState))
    version: int = 1
    audience: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    opens_at: datetime | None = Field(default=None, sa_type=Instant)
    closes_at: datetime | None = Field(default=None, sa_type=Instant)
    results_at: datetime | None = Field(default=None, sa_type=Instant)
    results_text: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    reminder_after_hours: int | None = None
    opened_at: datetime | None = Field(default=None, sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    published_at: datetime | None = Field(default=None, sa_type=Instant)
    late: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    confirmed_people: int | None = None
    grown_to: int | None = None
    pause_reason: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    resumed_at: datetime | None = Field(default=None, sa_type=Instant)
    audience_limit_id: int | None = Field(default=None, sa_type=BigInteger)
    fan_out_after_id: int = Field(
        default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"}
    )
    fan_out_done: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    created_at: datetime = Field(sa_type=Instant)
    created_by: str = Field(sa_type=Text)


class Question(SQLModel, table=True):
    """One question; ``rendered`` is frozen when the poll is scheduled."""

    __tablename__ = "question"
    __table_args__ = (
        UniqueConstraint("poll_id", "position"),
        CheckConstraint("position BETWEEN 1 AND 3", name="position"),
    )

    id: int | None = identity()
    poll_id: int = reference("poll.id")
    position: int
    kind: QuestionKind = Field(sa_type=checked(QuestionKind))
    text: str = Field(sa_type=Text)
    when_labels: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    minimum: Decimal | None = Field(default=None, sa_type=Numeric)
    maximum: Decimal | None = Field(default=None, sa_type=Numeric)
    unit: str = Field(default="", sa_type=Text)
    rendered: str = Field(default="", sa_type=Text)


class Choice(SQLModel, table=True):
    """One line of a question's ballot."""

    __tablename__ = "choice"
    __table_args__ = (
        UniqueConstraint("question_id", "letter"),
        UniqueConstraint("question_id", "label"),
    )

    id: int | None = identity()
    question_id: int = reference("question.id")
    letter: str = Field(sa_type=Text)
    label: str = Field(sa_type=Text)
    aliases: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    applicable: bool = True


class Publication(SQLModel, table=True):
    """A poll's frozen public result; a later correction is a new version."""

    __tablename__ = "publication"
    __table_args__ = (UniqueConstraint("poll_id", "version"),)

    id: int | None = identity()
    poll_id: int = reference("poll.id")
    version: int
    results: dict[str, Any] = Field(sa_type=JSONB)
    actor: str = Field(sa_type=Text)
    published_at: datetime = Field(sa_type=Instant)
