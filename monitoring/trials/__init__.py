"""Work that takes a while, as jobs: recovery policies tried before they are published, a verb on all runs of an alert.

`dry_run` says what a policy would do now about each open run; `back_test` what it would have done about those of the
last days, and how many of them recovered by themselves; neither changes a run. `alert_acts` does a verb to the runs of
an alert as whoever asked for it, one first (`members`: one of them). `jobs` asks for one and does open ones in small
portions under a lease, so that no worker is kept for long; a job whose worker is lost is gone on with by the next.
`histories` reads the logs of runs that have ended.

Imported by the doors, and by the services of workers (`ZEN_EVERY_WORKER_SERVICES`).
"""
