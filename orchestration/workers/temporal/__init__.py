"""The worker of the Temporal engine.

`saga_workflow` hosts the flow, `external_workflow` keeps the time of external flows. `activities` performs attempts and
writes decisions: `orders` says which are this site's, `tries` what one try of an activity asks and tells the server,
`attempts` fences them by an epoch, `shared_attempts` performs an attempt once when two tries of it meet in a process;
`heartbeats` and its process keep activities alive when this process's threads cannot run. `worker` puts them together.

Workflow modules read no clock, no chance and no setting, since a history is replayed through them; a test reads their
source. The order of their commands is part of stored histories (docs/adr/0008). Imported by commands, tests and
`orchestration.client`; needs the extra `temporal`.
"""
