"""A real coding agent, as its maker ships it, works with a model on loopback where no network is.

`.ci/run` installs Codex; elsewhere it is wanted on PATH, or in a folder that ZEN_TEST_AGENTS names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.orchestration.agents.test_real_agents import WHERE
from tests.support.offline import command
from tests.support.servers.fixtures import missing

ROOT = Path(__file__).parents[3]
TESTS = ("tests/orchestration/agents/test_real_agents.py", "tests/system/projects/real_agent.py")


@pytest.mark.slow
def test_codex_needs_no_network_for_a_session_and_for_a_whole_project() -> None:
    if shutil.which("codex", path=WHERE) is None:
        missing("Codex", ".ci/run installs it; or name its folder in ZEN_TEST_AGENTS")
    if subprocess.run(command("true"), check=False, capture_output=True).returncode:
        missing("namespace without a network", "unshare of util-linux, as root or where users may have namespaces")
    env = {k: v for k, v in os.environ.items() if k != "ZEN_TEST_DIR" and not k.startswith("PYTEST_")}
    words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "codex", *TESTS)
    done = subprocess.run(command(*words), cwd=ROOT, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0 and "4 passed" in done.stdout, done.stdout + done.stderr
