"""Coding agents as pure values: which there are, what their sessions say, what an attempt came to, what it costs.

- `agent_type`: the types that a site can have endpoints of.
- `prices`: what tokens cost, exactly.
- `events`: the vocabulary of a session; `session`: how one ended, what it asked and used.
- `evidence`: what an attempt left; `verdict`: how it is judged, and what follows.

Nothing here starts a process, reads a clock or knows a row. Imported by `core.definition`, `agents`, `execution` and
`projects`; imports the standard library, pydantic and `orchestration.core`.
"""
