"""Keeps the database small: what ended long ago is condensed, then removed (docs/howto/retention.md).

`families` finds runs that belong together; `walk` goes over what has ended in the order of its end and remembers how
far it has come; `stages` are what is done to a batch of families (lines, details, whole runs), `old_rows` what goes by
its own age (alerts, notices); `pruning` gives each its turn, in small transactions with as much rest as work. `beat` is
how workers do it by themselves, `estimate` says how much there is to do.

Only families that have ended as a whole are touched, and never an approval, a vote, the audit or a seal. Whoever is
killed in the middle leaves each family as it was or done. Imported by `manage.py prune`, by workers and by the probe of
the doctor; imports `watch.loops` and orchestration's ledger and archive.
"""
