"""What is done about runs in trouble without anybody asking.

`policies` tells which are in force, `publishing` publishes and switches them; `core.matching` says which a run matches.
`decide` is what the watch calls at each judgement: it ends attempts that are over (`verdicts`) and decides new ones by
what was done before (`history`); `claims` lets those through whose brakes allow it, `storms` keeps the circuits and
the storms; `telling` tells people what no attempt can mend; `records` changes the state of an attempt, with its audit.

Nothing here acts on a run: `monitoring.performing` does. Imported by `watch`, `performing` and the doors.
"""
