"""The only SQL. Functions take a session and lists, flush, and never commit: actions do."""
