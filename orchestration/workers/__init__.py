"""The processes that perform: workers of the own engine (`celery`), of Temporal (`temporal`), and of tests (`memory`).

A worker process has a name and a `lease`; `in_hand` knows which claimed commands its threads hold; `lease_helper` and
`lease_process` renew the lease from a process beside it; `background_service` is a thread that repeats one thing;
`database_watch` says whether a silent worker may be taken for lost. Command, claim, epoch, lease, sweep and group
commit are explained in `orchestration.engines`.

A worker writes the end of an attempt under the epoch of its claim, and stops only after what it has claimed is done.
Imported by `tasks`, `console`, `management` and tests, and by the demonstration; `client` takes the workflow's class
from here. Imports everything but those doors.
"""
