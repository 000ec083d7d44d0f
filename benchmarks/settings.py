"""Zen's own settings and its own handlers."""

from zen_project.settings import *  # noqa: F403

ZEN_TASKS = {
    "trivial": "benchmarks.handlers.trivial",
    "fails": "benchmarks.handlers.fails",
    "service": "benchmarks.handlers.service",
    "fails-once": "benchmarks.handlers.fails_once",
}

# DBOS leaves SQLite at synchronous=FULL; as durable here, else the comparison would flatter us.
_options = DATABASES["default"]["OPTIONS"]  # noqa: F405
if "init_command" in _options:
    _options["init_command"] = _options["init_command"].replace("synchronous=NORMAL", "synchronous=FULL")
