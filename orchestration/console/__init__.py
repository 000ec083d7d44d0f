"""What the console commands share: how runs are shown and waited for.

`show` prints a run as text, `waiting` follows one until it ends and hosts a worker when there is none, `settling` reads
a run only after an act has taken effect, `queues_below` finds the queues that a run and its children need,
`files` reads what a start is given. Imported by `orchestration.management`, the demonstration, and approvals' console
(`waiting`).
"""
