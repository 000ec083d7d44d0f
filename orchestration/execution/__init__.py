"""One attempt of a step, from its claimed row to its result: the same code on every engine.

`attempt` asks the gate, fills in the action (`inputs`, `outputs`, `call`), performs it (`perform`, by the table in
`action_table`) and classifies what came back (`attempt_result`); `child_run` starts a child; `cancellation` says
whether the run still wants the result, `claim_check` whether the claim is still this process's.

It reads the ledger and does not write the attempt's end: the worker writes that, in a transaction of its own choosing.
It raises only for faults of the machinery (a database that is away, a claim that another worker has), which are never
an outcome of the action.

Imported by `workers` alone. Imports `runs` (child runs), `ports` (the gate), `ledger`, `actions`.
"""
