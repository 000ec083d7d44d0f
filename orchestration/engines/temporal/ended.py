"""The words for a run whose workflow has ended and whose rows have not: its database was restored from a backup."""

ENDED_ALONE = "its workflow has ended on the Temporal server, and the run has not: was the database restored?"
TAKE_UP = "abort the run, which takes it up from its rows (docs/upgrading.md)"
