"""The ``pollwire`` command: a file per group of commands; they print, they never decide."""

import sys

from service.errors import PollwireError


def main() -> None:
    """Entry point: one clear line per error; exit 0 ok, 1 refused or failed, 2 usage."""
    from service.cli.app import app

    try:
        app()
    except PollwireError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        sentence = _foreseen(error)
        if not sentence:
            raise
        print(f"error: {sentence}", file=sys.stderr)
        sys.exit(1)


def _foreseen(error: Exception) -> str:
    from service.store.engine import is_disconnect, is_out_of_range

    if is_disconnect(error):
        return f"the database cannot be reached ({type(error).__name__})"
    return "one of the numbers is too large" if is_out_of_range(error) else ""
