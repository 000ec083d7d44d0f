"""What a recovery policy would have done about a run that is over: its facts at each moment, from its log. Pure.

`history` holds the log of a run; `facts_at` makes the facts of any moment of it, as the watch would have read them;
`deciding` finds the first decision of a policy; `summary` adds up many runs.

A log does not tell everything: which workers were alive, what was not delivered, which requests were open. Issues and
metrics that need it are not there (`history.UNSEEN_CODES`, `UNSEEN_METRICS`), so a back-test may
answer otherwise than live where a policy asks for them (`summary.unseen`). What is usual is today's.
"""
