"""Reads and writes the rows of runs, for both engines: rows and the flow's state are the same thing in two forms.

`store` turns rows into the flow's state and state changes into statements; `inbox` keeps events for a run until its
engine has delivered them (transactional inbox, stored once by message id); `run_end` tells parent and children of an
end; `plan_cache` keeps compiled plans; `outcome` says in words how a run ended; `live_workers` which workers are alive;
`late_handlers` which handlers go on after they were told to stop.

Every writer of a run's rows holds that run's lock, and adds one to its version (docs/adr/0002). Imported by `engines`,
`runs`, `execution` and `workers`. Doors and monitoring read `live_workers`, `late_handlers` and `plan_cache`, and write
through `runs`. Imports `models` and `core`; hand-written SQL is explained in docs/adr/0004.
"""
