"""Logs: one line an event, without numbers or bodies; JSON in containers.

An error's full text may hold a row, so failures are logged by :class:`Outage`, never with their
traceback.
"""

import logging
import logging.config
from typing import Literal

import structlog

from service.store.engine import describe, is_hopeless


class Outage:
    """Says once that the database is away or too slow, and once that it is back."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._away = False

    def note(self, error: Exception, what: str) -> None:
        """``what`` failed with ``error``."""
        if not is_hopeless(error):
            self._log.error("%s failed: %s", what, describe(error))
            return
        if not self._away:
            self._log.error("the database is away (%s); waiting for it", type(error).__name__)
        self._away = True

    def ended(self) -> None:
        """Something worked."""
        if self._away:
            self._log.warning("the database is back")
        self._away = False


def configure(level: str, form: Literal["text", "json"]) -> None:
    """Send every logger of this process through one formatter to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The SDK's own lines name recipients; Alembic's say nothing at every start.
    for talkative in ("pollwire.twilio", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    # A connection that cannot even be closed is told with a traceback; Outage says it in a line.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
