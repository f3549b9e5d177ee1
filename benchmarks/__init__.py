"""How fast it is: each file measures one thing, ``python -m benchmarks`` all of them.

Figures are ratios to something measured in the same run (``pgbench``, the configured rate), since
absolute ones differ from machine to machine and hour to hour. Everything runs on 127.0.0.1, on an
embedded PostgreSQL of its own with ``fsync`` on, and stops by itself. See ``docs/capacity.md``.
"""
