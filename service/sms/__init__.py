"""The carrier's door. ``gateway`` is the one interface; ``twilio`` its one implementation."""
