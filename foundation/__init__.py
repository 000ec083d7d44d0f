"""The ground floor: what every app stands on, and what knows no run, no approval and no message.

Clock, errors, canonical JSON, text made visible, the nudge to workers, ports, and packages for identity, the audit, the
database, the outbox, outbound calls, secrets, telemetry, and the kits of the doors (admin, api, console). Everything
may import it; it imports nothing of ours. What names a run, a step, a request or a channel does not belong here.

`clock.now()` is the only way to ask for the time, and it answers with the database's. `errors` is the only tree of
exceptions that doors translate. Tables of this app keep the label `orchestration`, under which they were made
(models/label.py, docs/adr/0010).
"""
