"""Programs of the driver `local`: each runs as a process of its own and outlives the worker that started it.

`switch` takes the users' requests on a deployment's port and hands each to a backend (`switching` is what it is made
of); `runner` keeps one process of a release, its log within bounds and its group; `static_server` serves the files of a
release that has no command.

They are run by their path with `python -I`, know nothing of Django and import nothing of Zen: a release of Zen can be
replaced while they serve. What they are told stands in files of the deployment's folder. Nothing imports them.
"""
