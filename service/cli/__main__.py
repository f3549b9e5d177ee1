"""``python -m service.cli`` is ``pollwire``."""

from service.cli import main

main()
