"""pollwire: weekly polls by text message.

Two ways run through this package. A member's text comes in through ``webhooks``, is understood by
``domain``, is written down by ``actions.receive_texts`` and answered. A poll goes out through
``worker``: ``actions.open_poll``, ``actions.fan_out``, ``actions.dispatch``.
"""

__version__ = "0.1.0"
