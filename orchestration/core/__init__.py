"""The pure core: rules without I/O, clocks, ids or chance. It imports the standard library and pydantic only.

`saga` is the flow, `definition` a saga as its author writes it, `templates` how values are filled in; here lie what
several of them need: the enums, the order of steps, backoff, idempotency keys, queues and fair turns. Everything may
import it. A test reads each import; Temporal workflows run these modules, so a change of what the flow decides needs a
new version of it (saga/versions.py).
"""
