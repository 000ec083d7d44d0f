"""Recovery acts: attempts that were decided, and those that people ask for.

`tick` is one pass, each second in every worker: it asks for verdicts that are due, takes up attempts whose brakes let
them, and performs them; `perform` brings one attempt as far as it goes; `approval` asks people first where the policy
says so; `acts` does one act through the services that people use; `by_hand` is `trigger_recovery`; `switch` stops and
starts recovery on the whole site.

An act has an id of its attempt, so it is done once, whoever dies when. Imported by the service that each worker
has of it (ZEN_EVERY_WORKER_SERVICES), by `client` and by the doors.
"""
