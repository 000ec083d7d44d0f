"""Alerts: one for a group of runs with the same trouble, told once, and again only when it matters.

`rules` knows the rules; `opening` and `grouping` let runs join and leave in the transaction that stores their health;
`telling` sends what is due and closes what is over; `failures` tells of a run that asks for it; `acts` and `silences`
are what people do.

A state changes by conditional updates, so two watchers tell once. What is told goes out through notifications, under
the subject `alert:<pk>`. Imported by `watch`, by `client` and by the doors; it changes no run.
"""
