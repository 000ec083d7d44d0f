"""Reads of requests: one JSON shape for all doors, the inbox, consequences of a decision, and who was not reached.

`view` is a request as JSON, and says which deciders no message has reached; `requests` has lists and rows, `inbox` what
waits for an account and how much, `impact` what a yes and a no would lead to. Reads never write, and never lock.

Imported by `requests`, `simulation` and the doors; imports `models`, `policies`, `core`, notifications' models and
orchestration's ledger (for the run that waits).
"""
