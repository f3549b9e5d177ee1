"""The ledger of outbound texts, the receipts for them, and the shared sending rate."""

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, Index, SQLModel, text

from service.domain.deliveries import DeliveryState, DoubtDecision, Purpose
from service.store.tables.base import Instant, checked, identity, pointer


class Delivery(SQLModel, table=True):
    """One outbound text to one person for one purpose. ``dedupe_key`` makes it once-only.

    ``checks`` is what the gate saw when it last looked, at ``checked_at``.
    ``retry_of`` is the failed text that this one tries once more. ``decided_as`` is what staff last
    said of it when it was in doubt; only they may say that it went without the carrier's sid.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("segments > 0", name="segments"),
        CheckConstraint(
            "state NOT IN ('accepted', 'sent', 'delivered', 'undelivered') "
            "OR message_sid IS NOT NULL OR coalesce(decided_as, '') = 'went'",
            name="taken_has_sid",
        ),
        Index(
            "ix_delivery_due",
            "poll_id",
            "not_before",
            "id",
            postgresql_where=text("state IN ('ready', 'deferred')"),
        ),
        Index(
            "ix_delivery_due_first",
            "program_id",
            "not_before",
            "id",
            postgresql_where=text(
                "state IN ('ready', 'deferred') AND (poll_id IS NULL OR inbound_sid IS NOT NULL)"
            ),
        ),
        Index(
            "ix_delivery_unsettled",
            "state",
            "id",
            postgresql_where=text("state IN ('leased', 'handed', 'in_doubt')"),
        ),
        Index(
            "ix_delivery_asked",
            "subscriber_id",
            "handed_at",
            "id",
            postgresql_where=text("purpose IN ('ask', 'follow_up', 'reminder', 'results')"),
        ),
        Index(
            "ix_delivery_replies",
            "number_key",
            "created_at",
            postgresql_where=text("inbound_sid IS NOT NULL"),
        ),
        Index("ix_delivery_poll", "poll_id", postgresql_where=text("purpose = 'ask'")),
        Index("ix_delivery_reminder", "poll_id", postgresql_where=text("purpose = 'reminder'")),
        Index(
            "ix_delivery_failed",
            "poll_id",
            postgresql_where=text("purpose = 'ask' AND state IN ('failed', 'undelivered')"),
        ),
        Index(
            "uq_delivery_message_sid",
            "message_sid",
            unique=True,
            postgresql_where=text("message_sid IS NOT NULL"),
        ),
        # One new attempt at most, however often a failure is told.
        Index(
            "uq_delivery_retry_of",
            "retry_of",
            unique=True,
            postgresql_where=text("retry_of IS NOT NULL"),
        ),
    )

    id: int | None = identity()
    dedupe_key: str = Field(sa_type=Text, unique=True)
    program_id: int = pointer()
    subscriber_id: int | None = pointer(optional=True)
    poll_id: int | None = pointer(optional=True)
    question_id: int | None = pointer(optional=True)
    number_key: bytes = Field(sa_type=LargeBinary)
    number: str = Field(sa_type=Text)
    purpose: Purpose = Field(sa_type=checked(Purpose))
    body: str = Field(sa_type=Text)
    segments: int
    state: DeliveryState = Field(sa_type=checked(DeliveryState))
    reason: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    inbound_sid: str | None = Field(default=None, sa_type=Text)
    retry_of: int | None = pointer(optional=True)
    message_sid: str | None = Field(default=None, sa_type=Text)
    error_code: int | None = None
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    not_before: datetime = Field(sa_type=Instant)
    leased_until: datetime | None = Field(default=None, sa_type=Instant)
    leased_by: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
    handed_at: datetime | None = Field(default=None, sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    checked_at: datetime | None = Field(default=None, sa_type=Instant)
    checks: str | None = Field(default=None, sa_type=Text)
    decided_as: DoubtDecision | None = Field(default=None, sa_type=checked(DoubtDecision))
    decided_by: str | None = Field(default=None, sa_type=Text)
    decided_at: datetime | None = Field(default=None, sa_type=Instant)


class Receipt(SQLModel, table=True):
    """A status callback as it came; the delivery's state is what they add up to."""

    __tablename__ = "receipt"
    __table_args__ = (UniqueConstraint("message_sid", "status"),)

    id: int | None = identity()
    delivery_id: int | None = pointer(optional=True)
    message_sid: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    error_code: int | None = None
    received_at: datetime = Field(sa_type=Instant)


class RateSlot(SQLModel, table=True):
    """When a sender may send its next segment: the one row all workers reserve from."""

    __tablename__ = "rate_slot"

    sender: str = Field(primary_key=True, sa_type=Text)
    next_at: datetime = Field(sa_type=Instant)
