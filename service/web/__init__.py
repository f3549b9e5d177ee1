"""Pages for the public and for staff."""
