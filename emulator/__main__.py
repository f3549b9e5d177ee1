"""Runs the emulator: ``python -m emulator --inbound-url http://127.0.0.1:8000/…``."""

import gc
import logging
import signal
import sys
from types import FrameType

import uvicorn

from emulator.app import create_app
from emulator.hangup import HangUpProtocol
from emulator.settings import read_settings


def _leave(signal_number: int, frame: FrameType | None) -> None:
    """Being told to stop is no failure, whoever looks at the exit code."""
    sys.exit(0)


_GARBAGE = (20_000, 50, 1_000)
"""Nothing in the message log is garbage; to go through it all would hold up every answer."""


def main() -> None:
    """Serves until told to stop."""
    gc.set_threshold(*_GARBAGE)
    settings = read_settings(sys.argv[1:])
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # uvicorn shuts down in order and then hands the signal on to this handler.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        http=HangUpProtocol,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
