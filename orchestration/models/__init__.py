"""Models of runs.

`Definition` is a stored version of a saga; `Run` an execution, with the head of its state and its version; `Step` the
state of one step; `Command` something to be done, an attempt or a timer (see `orchestration.engines`); `Message` an
event that waits to be delivered to a run (its inbox); `Event` an entry of its log; `Worker` a lease; `News` that a run
needs a look; `RunLine` a line that an attempt logged; `Archive` and `Tombstone` what stays of runs that ended long ago.
`AgentEndpoint`, `AgentLease` and `AgentAttempt` are of agents, and written by `agents.endpoints` and `execution`.
RULES: the version of the rules that new runs get.

A run's rows are written by the ledger and the engines alone, under the run's lock. Everything in orchestration may read
them; approvals and monitoring read `Run`, `Command` and `Message`. The tables of `foundation.models` are of this app
too (docs/adr/0010).
"""

import foundation.models  # noqa: F401 - its tables are of this app (foundation/models/label.py)
from orchestration.models.agent import AgentAttempt, AgentEndpoint, AgentLease
from orchestration.models.definition import Definition
from orchestration.models.kept import Archive, Tombstone
from orchestration.models.run import RULES, Command, Event, Message, Run, Step, Worker
from orchestration.models.watched import News, RunLine

__all__ = [
    "RULES",
    "AgentAttempt",
    "AgentEndpoint",
    "AgentLease",
    "Archive",
    "Command",
    "Definition",
    "Event",
    "Message",
    "News",
    "Run",
    "RunLine",
    "Step",
    "Tombstone",
    "Worker",
]
