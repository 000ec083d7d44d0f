"""The rules of recovery: what an action comes to, which one is next, and what puts it off. Pure.

`actions` is the table of actions and states of a run; `ladder` the rungs of a policy, each tried once; `brakes` the
pause between attempts, the budgets of an hour and the circuit of a target; `storm` what is done when many runs fail at
one target: one is tried, and more only when that worked.

A brake puts off and never drops. Imported by `recovery`, `performing` and the doors.
"""
