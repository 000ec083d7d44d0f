"""Settings of a worker process whose site registered a handler that keeps the GIL."""

from zen_project.settings import *  # noqa: F403

ZEN_TASKS = {"eat": "tests.system.crash.greedy.eat"}
