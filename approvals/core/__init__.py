"""The pure rules of approvals: no clock, no row, no setting, no dice.

`policy` is a policy as its author writes it, `approval` the flow of one request, `simulation` the same flow driven by
votes that people might cast; beside them are the enums and `content`: what is asked (`Ask`), and what is shown to
deciders (hash, differences, edits).

Time and ids come in with events. Every other room of approvals may import it; it imports the standard library, pydantic
and `orchestration.core` (a contract holds it).
"""
