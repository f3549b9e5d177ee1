"""Reading an inbound text: from (text, what is being asked) to what it says, with the rule's name.

Pure and total: every string gives a :class:`Reading`, nothing raises. The order is the rule
(``docs/rules.md``); :func:`read` shows it. One file per concern: ``normalise``, ``reactions``
(and automatic replies), ``optouts``, ``keywords``, ``yes_no``, ``choices``, ``numbers``,
``courtesies``. Word lists are data, in ``words/``.
"""

from service.domain.reading.reader import read
from service.domain.reading.values import Asked, Expected, Label, Reading

__all__ = ["Asked", "Expected", "Label", "Reading", "read"]
