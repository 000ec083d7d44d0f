"""Real servers as children of this process: they start with it and end with it, also when it is killed.

`supervisor` starts programs and starts those again that end; `postgres`, `valkey` and `temporal` configure theirs,
each from a wheel or from what the machine has (`find`); `instance_lock` keeps two sites off one folder;
`parent_watchdog` ends a server whose owner was killed. Imported by `manage.py up` and the demonstration; a production
site has servers of its own.
"""
