"""The tables, a file per noun.

Constraints carry the invariants; values are checked in ``domain`` before they get here.
"""

from service.store.tables.alerts import Alert
from service.store.tables.answers import Answer, AnswerChange
from service.store.tables.broadcasts import Broadcast
from service.store.tables.deliveries import Delivery, RateSlot, Receipt
from service.store.tables.inbound import InboundText
from service.store.tables.installation import Installation
from service.store.tables.jobs import Job
from service.store.tables.looks import Look
from service.store.tables.people import ConsentEvent, OptOut, Subscriber
from service.store.tables.polls import Choice, Poll, Publication, Question
from service.store.tables.programs import Keyword, Program
from service.store.tables.slots import QueuedDraft, SlotOccurrence, SlotSkip
from service.store.tables.staff import Staff

__all__ = [
    "Alert",
    "Answer",
    "AnswerChange",
    "Broadcast",
    "Choice",
    "ConsentEvent",
    "Delivery",
    "InboundText",
    "Installation",
    "Job",
    "Keyword",
    "Look",
    "OptOut",
    "Poll",
    "Program",
    "Publication",
    "Question",
    "QueuedDraft",
    "RateSlot",
    "Receipt",
    "SlotOccurrence",
    "SlotSkip",
    "Staff",
    "Subscriber",
]
