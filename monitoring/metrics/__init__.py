"""Metrics of all processes, added up in the database: every `/metrics` answers the same.

`store` takes what a process has measured since the last time (`foundation.telemetry`; the setting ZEN_METRICS_SINK) and
writes it as rows of its own, so that processes do not wait for each other; `names` finds the rows of the series, within
bounds; `fold` adds those rows up, into minutes, hours, days and in all, and removes what is too old; `runs` counts the
runs in the transaction of their health, so that no killed process loses one; `gauges` reads how high things are now.

How often and by whom: `watch.metrics`. What there is to measure: `queries.families`. Read by `queries.series`.
"""
