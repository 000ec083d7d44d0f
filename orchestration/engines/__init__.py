"""The engines: where a run is kept, and how events reach it. This is the side of an engine that `runs` calls.

`base.Engine` is the contract, `registry.ENGINES` the table: `celery`, the own engine on the database, and `temporal`.
A run keeps the engine that it began with. The processes that perform the work are in `orchestration.workers`. Both
engines keep these promises, and `tests/system/contract` holds both to them:

- *Accepted is written.* A start, an act or an answer is a row before its caller is told that it was accepted. What was
  not handed to an engine that is away is handed over later, by the relay (`runs.relay`).
- *Exactly once in effect.* Events have ids, and each changes a run's state once. A decision, the rows that it changes
  and the commands that follow from it are one transaction (own engine), or one workflow task (Temporal).
- *At least once in performing, under one key.* When a worker dies in a call, it is unknown whether the call was made.
  Another worker makes it again with the same idempotency key, and the attempt says that it is possibly repeated.
- *The database's clock.* Leases, due times and alarms are judged by it alone (`foundation.clock`).

The contract of the own engine. Other modules refer to these words:

- *Command*: a row for something to be done: perform an attempt (`run_action`), or wait (`start_timer`). Its status is
  `ready`, `running` or `done`; a running one names the worker that has it.
- *Claim*: one UPDATE that makes a ready command running, writes the worker's name, and adds one to its `epoch` and its
  `tries`. PostgreSQL skips rows that another worker is claiming; SQLite has one writer. No command has two claimants.
- *Epoch*: the number of the claim (fencing). The statement that writes an end names the epoch of its claim, and writes
  nothing when the row has another. So a worker that stood still, was taken for lost and came back can do no harm to
  what the next worker did; its call may have been made twice, under one key.
- *Lease*: the row of a worker process (`models.Worker`) with the time until which it is believed to live. A thread
  renews it every third of ZEN_WORKER_LEASE_SECONDS. A process beside the worker renews it when half of it has passed,
  if the worker's threads do not run (a handler that keeps the interpreter). One that has lapsed makes a worker lost.
- *Sweep*: a service thread of every worker looks each second for running commands whose worker has no lease, and makes
  them ready again: the next claim has a new epoch and one more try. It does the same for commands that are claimed
  under its own worker's name and held by none of its threads, which is what a claim whose COMMIT was never answered
  leaves; what no thread had begun costs no try. After an outage of the database it waits for a lease's time, so that
  living workers renew first.
- *Group commit*: threads of a worker that end attempts at the same time share one transaction: it locks the runs in the
  order of their ids, writes the ends under their epochs, has the flow decide each event, writes state, facts and new
  commands, and claims the next ones. The busier a worker, the fewer transactions a step costs. If it fails, nothing of
  it is written, and each result is tried again in a transaction of its own.
- *Nudge*: a message that makes idle threads look at once. A lost one costs the second until they look by themselves.
- *Turn*: the place of a command in its queue, given by start-time fair queueing over the people who started the runs,
  so that one person's backlog does not delay another's next step.

A step's life: `advance` writes the command `ready`; a worker claims it (`claims`), performs it
(`orchestration.execution`), and submits the result to its exchange (`workers.celery.exchange`), which writes the end
and lets the flow decide what follows, in a group commit.

On Temporal a workflow hosts the flow; one activity performs an attempt and another writes what was decided. Rows are
then what people see and search, and the run goes on from the workflow's history. Its words are in `engines.temporal`.
Numbers and settings are in docs/explanation/engines.md.

Imported by `runs` and `workers`, and by `client`, `console` and monitoring, which ask whether an engine answers.
Imports `ports`, `ledger`, `models` and `core`; it performs no action and calls nothing of `runs`.
"""
