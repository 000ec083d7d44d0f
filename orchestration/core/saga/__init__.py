"""The saga flow: `flow.decide(plan, state, event) -> (state, commands)`.

`compile` makes the plan of a definition, `state` is one frozen value per event, `events` are facts in the past tense,
`commands` what the engine has to do, `guards` what a person may do now, `compensation` the order of undoing,
`state_change` what a decision has to write. Engines host it: they deliver events, perform commands and keep state
changes.

The same event twice changes nothing, and the flow needs no event that was not delivered. Time comes in with events; the
flow reads no clock. Rule numbers in docstrings are those of docs/reference/sagas.md. A change of what the flow decides
needs a new version (`versions`, docs/adr/0008). Imported by engines, ledger, runs, workers and pages.
"""
