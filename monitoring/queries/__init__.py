"""What is shown of health: one JSON shape for Python, REST, the console and the pages.

`health` shows an issue and a run; `lists` has runs by their health, and norms; `overview` the whole site in figures,
`by_saga` its sagas; `series` a metric over time, `families` all metrics there are; `shared` makes a slow answer once
for all who ask.

Reads only, by indexes: what ended is counted within a window, never over all history. Imported by `watch`, which stores
issues in the same shape, and by the doors.
"""
