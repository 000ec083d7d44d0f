"""A person acts on a run: `act`, and `preview` of the same verb.

`events` has the flow's event for each verb and the right that it needs; `legal` says whether the verb is legal now;
`previews` says what it would do; `answers` guards and keeps the answer to a failed compensation, one at a time;
`acting` stores an act and delivers it.
An act is an audit row and a message in the run's inbox, in one transaction; it is delivered after the commit, or by the
relay when the run's engine is away. An agent only proposes what cannot be taken back: `store_act` is what people's yes
comes to, inside the transaction of the yes. Imported by the doors and by `orchestration.sagas`.
"""

from orchestration.runs.acts.acting import (
    ASKS_ANEW,
    act,
    checked_event,
    refuse_agent,
    refuse_another,
    restarted_as,
    store_act,
)
from orchestration.runs.acts.answers import ANSWERED_BY
from orchestration.runs.acts.events import NEEDS_STEP, event_for, get_run, permission_for
from orchestration.runs.acts.legal import why_not
from orchestration.runs.acts.previews import Preview, preview

__all__ = [
    "ANSWERED_BY",
    "ASKS_ANEW",
    "NEEDS_STEP",
    "Preview",
    "act",
    "checked_event",
    "event_for",
    "get_run",
    "permission_for",
    "preview",
    "refuse_agent",
    "refuse_another",
    "restarted_as",
    "store_act",
    "why_not",
]
