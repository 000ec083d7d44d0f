"""`approval` and `policy`."""
