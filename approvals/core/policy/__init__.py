"""A policy as its author writes it: stages, who may decide, how many, and with which time limits.

`definition` has the models, `chain` makes a request's plan of a policy and its people, `hours` computes with working
hours or wall time, `form` is what deciders have to answer. docs/reference/policies.md has the keys.

Pure, like all of `approvals.core`: people come in resolved (`approvals.policies`), holidays as dates.
"""
