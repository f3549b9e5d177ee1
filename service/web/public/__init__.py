"""Pages that everybody may read. Only what was published is on them."""
