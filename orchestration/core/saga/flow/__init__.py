"""The saga flow: `decide(plan, state, event) -> (state, commands)`. Rule numbers are those of docs/reference/sagas.md.

`decision` asks `relevance` whether the event means anything, has `ends` or `acts` change a draft of the state, and
`progress` do what follows. Pure: no clock, no row, no setting. Imported by engines, previews and the properties' tests.
What it decides is part of stored Temporal histories (docs/adr/0008).
"""

from orchestration.core.saga.flow.decision import decide

__all__ = ["decide"]
