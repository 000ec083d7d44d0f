"""The audit: who did what, when, through which door, as rows that cannot be changed unseen.

`record` writes the row of an act in the act's own transaction. Rows of one `workflow_id` are a hash chain; once a day a
signed seal says how far every chain had come; `verify` checks both. The database refuses UPDATE and DELETE of what is
stored (`triggers`). How others verify it without us is told in docs/reference/audit.md, so the spelling of what is
hashed (`foundation.canonical_json`) never changes for rows that exist.

Every service that changes something calls `record` or `row`. `seal` is called by a task and by `manage.py audit`;
`verify`, `export` and `findings` by commands; `signing_key` also by the receipts of approvals.
"""

from foundation.audit.log import NO_RUNS, OPENING, record, row

__all__ = ["NO_RUNS", "OPENING", "record", "row"]
