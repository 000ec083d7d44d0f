"""The state of a request: its lock, its events, its timers, and who may still decide.

`locked_request` is the only writer of a request's state: it locks the run and then the request, has the core decide,
and writes votes' consequences, seats, audit and messages in one transaction. `lock.locked_now` opens that for an act,
and first lets everything happen that was due before it; `eligibility` finds people who left or came back;
`delivery_listener` starts clocks when a message has arrived; `inconsistencies` finds, and `reconcile` puts right, what
a lost process left.

The run's rows are written through `orchestration.runs.external` alone (docs/adr/0006). Imported by `requests`, `gate`
and `external_flow`.
"""
