"""Answers: one per subscriber and question, with its history."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Numeric, Text
from sqlmodel import Field, SQLModel

from service.store.tables.base import Instant, identity, pointer


class Answer(SQLModel, table=True):
    """What counts. ``void`` answers are kept, not counted and never quotable."""

    __tablename__ = "answer"
    __table_args__ = (
        CheckConstraint("num_nonnulls(choice_id, number, text) = 1", name="one_value"),
    )

    question_id: int = pointer(is_key=True)
    subscriber_id: int = pointer(is_key=True)
    choice_id: int | None = pointer(optional=True)
    number: Decimal | None = Field(default=None, sa_type=Numeric)
    text: str | None = Field(default=None, sa_type=Text)
    comment: str = Field(default="", sa_type=Text)
    void: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    answered_at: datetime = Field(sa_type=Instant)


class AnswerChange(SQLModel, table=True):
    """One step in an answer's history: what it became, by whom and why."""

    __tablename__ = "answer_change"

    question_id: int = pointer(is_key=True)
    subscriber_id: int = pointer(is_key=True)
    id: int | None = identity()
    value: str | None = Field(default=None, sa_type=Text)
    void: bool = False
    actor: str = Field(sa_type=Text)
    rule: str = Field(sa_type=Text)
    message_sid: str | None = Field(default=None, sa_type=Text)
    changed_at: datetime = Field(sa_type=Instant)
