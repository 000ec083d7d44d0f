"""Endpoints of agents: which a site has, which attempt has one now, and which are well.

- `services`: add, check, enable, disable and remove one, with an audit row in the chain `agents` (`record`).
- `given` judges what a door was given; `session` makes a session's spec of a row, its secrets filled in.
- `lease`: an attempt gets the least loaded endpoint of a type that is well, within its concurrency, by the database's
  clock, and gives it back; who dies gives it back by silence.
- `health`: what a check or the end of a session says about an endpoint; `views`: what doors show.

A credential is a reference to a secret in every row and answer, and a command is only ever one that an administrator
has set. Imported by `execution` (lease, health, session), `projects` (views) and the doors.
"""
