"""Checks of plain JSON that users or services sent, with bounds on what a check may cost.

A schema and the value it is held against both come from users, so neither may make a worker search for minutes: the
number of keywords that are looked at is bounded (`at_most`), and patterns are searched in linear time. What passes the
bound raises `TooCostly`, which the caller turns into a refusal with a remedy.

Imported by `orchestration.actions` (output schemas) and `approvals.policies` (conditions).
"""
