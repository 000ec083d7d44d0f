"""The log of a run: its events, the ends of its attempts, what they logged and printed, and what people did to it.

`pages` merges them in the order of time, a page at a time, each entry with the cursor behind it; `sources` reads the
rows of each kind, `sentences` says them. An entry that is written late, as the lines of another worker may be, comes
later than its time says, and comes once: a cursor counts entries of each source and does not look at the time.

Read only, for whoever may look at the run. Imported by the doors (console, API, pages) and by `monitoring.client`.
"""

from orchestration.runs.run_log.pages import (
    LEVELS,
    MOST,
    check_cursor,
    is_complete,
    latest_entries,
    log_entries,
    log_position,
    shown_number,
)

__all__ = [
    "LEVELS",
    "MOST",
    "check_cursor",
    "is_complete",
    "latest_entries",
    "log_entries",
    "log_position",
    "shown_number",
]
