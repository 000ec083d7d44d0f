"""The worker of the own engine: action threads for each queue, and services beside them.

`host` keeps the threads, `worker` performs and hands in, `exchange` is the group commit of ends and claims, `timers`
fires what is due, `in_process` hosts a worker inside a command or a test, `bootstep` makes `celery worker` such a
worker.

Services (timers, sweep, lease, relay, deliveries) never share threads with actions, so an action that takes an hour
delays no deadline. No thread waits for a broker. Lease, epoch, sweep and group commit are explained in
`orchestration.engines`. Imported by tasks, commands, tests, and by Celery when it builds its worker.
"""
