"""What is looked at each minute or less: sagas as a whole, the heartbeat, what Temporal says of single runs.

`sagas` opens and closes the alerts of sagas by what was measured; `heartbeat` calls the site's ZEN_HEARTBEAT_URL;
`workflows` asks the Temporal server about runs that stand still or have a long history, five a second at most.

Each has a turn of its own (`watch.loops`), so what takes long here delays no pass over runs. Imported by
ZEN_EVERY_WORKER_SERVICES, `client` and `manage.py monitor`.
"""
