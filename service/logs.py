"""Logs: one line an event, without numbers or bodies; JSON in containers."""

import logging
import logging.config
from typing import Literal

import structlog


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
