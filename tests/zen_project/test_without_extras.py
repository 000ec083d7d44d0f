"""What `pip install zen-orchestration` alone brings is enough for the own engine on SQLite."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.servers  # processes of its own

PROGRAM = """
import sys
from importlib.abc import MetaPathFinder

EXTRAS = {"temporalio", "psycopg", "nats", "confluent_kafka", "mcp", "opentelemetry"}

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in EXTRAS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import django
django.setup()
import approvals.gate, monitoring.probes, orchestration.workers.celery.host, orchestration.workers.lease_process
import zen_project.asgi, zen_project.urls, zen_project.wsgi
from zen_project.celery import app
from orchestration.engines.registry import ENGINES, choose
assert app.Worker and choose("celery").reach().ok
reach = ENGINES["temporal"].reach()
assert not reach.ok
print(reach.why, "|", reach.remedy)
"""


def test_processes_start_without_the_extras_and_say_which_one_is_missing() -> None:
    env = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin", "PYTHONPATH": "."}
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=env, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == "the SDK is missing | pip install 'zen-orchestration[temporal]'\n"
