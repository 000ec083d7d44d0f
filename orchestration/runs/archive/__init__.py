"""Runs that ended long ago: their record, what the doors show of one that was condensed, and ids that were removed.

`records` writes all rows of a run as lines of JSON; `views` keeps the last view of a run within a bound and gives it
back; `removed` says when a run was removed, whose id is never used again.

A condensed run has an `Archive`: its events, attempts, messages and lines are gone, its own row and its steps stay. A
removed run has a `Tombstone` alone. `monitoring.retention` decides what is old enough and takes the rows away
(docs/howto/retention.md); everything here reads only, but for the file of a record. Imported by `runs`, by approvals
and by `monitoring.retention`; imports `ledger`, `models` and foundation.
"""
