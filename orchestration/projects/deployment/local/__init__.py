"""The driver `local`: processes on this machine behind a switch of our own.

`folder` is what is known about a deployment, one record under a lock; `processes` starts, finds and ends what runs;
`ports` leases ports; `switch` tells the switch what to do; `checkout` makes the files of a release; `traffic` and
`replicas` are the acts that handlers compose; `keep` is the service of workers that starts again what died.

A process is known by the lock that its runner holds and by a mark in its environment, never by a number alone: after
kill -9 of a worker the next one finds it. `programs` outlive workers. Imported by the handlers and by operators'
commands.
"""
