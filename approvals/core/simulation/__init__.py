"""The flow driven by votes that people might cast: what a policy would lead to, without a row.

`simulate` runs one course of votes and time limits, `best_case` finds the soonest approval, `replay` gives past votes
to another policy. They call `core.approval.flow.decide` as requests do, so that a simulation and a request cannot
differ.
"""
