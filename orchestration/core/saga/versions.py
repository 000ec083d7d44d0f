"""Versions of the saga flow. A run on Temporal keeps the one that it began with, since its history is replayed.

Which commands follow from an event, and in which order, is what a version fixes; facts, words and times are free. To
change that, raise LATEST, and where the flow differs ask `draft.plan.flow`:

    ready = reversed(ready) if draft.plan.flow >= 2 else ready

Then `python -m tests.system.histories` records the new version's histories. docs/adr/0008 has the whole of it.
"""

from __future__ import annotations

FIRST = 1
LATEST = 1
