"""`audit` and `token`."""
