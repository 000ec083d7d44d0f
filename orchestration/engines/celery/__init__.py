"""The own engine, as `runs` sees it: the database's rows are the truth, a message of the broker is only a nudge.

`engine` implements `engines.base.Engine`. `advance` locks runs, has the flow decide their events and writes the result;
`claims` takes ready commands; `fair_queue` gives them their turns; `state_cache` keeps what this process committed
last; `nudge` wakes threads here and elsewhere.

Command, claim, epoch, lease, sweep, group commit and turn are explained in `orchestration.engines`. Everything runs in
the caller's transaction, and no caller ever waits for a broker. Imported by `engines.registry` and by
`orchestration.workers.celery`, which performs what is claimed here.
"""
