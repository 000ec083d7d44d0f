"""The Temporal engine, as `runs` sees it: starts workflows, hands them events, and asks what they wait for.

`engine` implements `engines.base.Engine`: `start_workflow` starts, `delivery` hands over a message, `schedule_wake`
keeps the time of external flows. `connection` is one event loop and one client for a process; `dto` has the values that
travel; `seals` the codes by which workflow and worker know that an order is this site's; `payload_codec` encrypts.
`troubles`, `failures` and `untaken_tasks` say why a run cannot go on; `taken_messages` and `executions` find out which
messages a workflow has taken when a process died before it noted that.

*Execution*: one run of a workflow on the server; a Zen run can have several (continue-as-new, a rerun after its end).
*Update*: how an event reaches a workflow, with its message's id as the update's id, so that it counts once.

Workflows and activities are in `orchestration.workers.temporal`. A workflow's name, its arguments and the order of its
commands are part of stored histories: see docs/adr/0008. Imported by `engines.registry`, `workers.temporal`, commands
and monitoring; `temporalio` is an extra, so functions import it when they are called.
"""
