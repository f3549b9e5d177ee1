"""The rules, as pure code: standard library and phonenumbers only; ``now`` is an argument."""
