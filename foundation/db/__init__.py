"""What SQL and connections need beyond the ORM, on SQLite and PostgreSQL alike.

`statements` builds and runs several statements in one round trip and opens the transaction of a writer; `advisory_lock`
takes a lock by a name; `group_commit` lets threads that wait for SQLite's one writer share its transaction; `outages`
says which errors mean that the database is away, and waits for it; `statement_watch` ends
silent connections, which `silent_waits` finds.

Services open their transaction with `statements.writing()`, so that on SQLite threads of a process queue for the writer
instead of sleeping in its busy handler. Hand-written SQL belongs in few places (docs/adr/0004): here,
`foundation.audit`, `orchestration.ledger` and the own engine.
"""
