"""The conformance suites of the protocol find nothing in the site's MCP server but what `baseline.yaml` explains."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from django.contrib.auth.models import Group, User

from foundation.models import ApiToken
from tests.support.mcp_clients import Site, site
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.crash.workers import ROOT, worker
from tests.zen_project.mcp.conformance.peers import node, script

pytestmark = pytest.mark.django_db(transaction=True)
BASELINES = Path(__file__).parent / "baselines"
TRIES = 3
"""The suites have clocks of their own (5 s for an answer of a run); what is wrong is wrong each time."""

SUITES = {
    "2025-11-25": ("@modelcontextprotocol/conformance", ["--suite", "active"]),
    "2026-07-28": ("conformance-of-2026", ["--requirements", "2026-07-28"]),
    "tasks": ("conformance-of-2026", ["--suite", "pending"]),
}


@pytest.fixture
def served(process_env: dict[str, str]) -> Iterator[Site]:
    """The site with what the suites need, and a worker for the sagas that they start."""
    node()
    user = User.objects.create_user("dora", "dora@example.com")
    user.groups.add(Group.objects.get_or_create(name="administrator")[0])
    env = process_env | {
        "ZEN_ENGINE": "celery",
        "ZEN_TEST_MCP_PERSON": "dora",
        "ZEN_TEST_MCP_TOKEN": ApiToken.issue(user)[1],
        "ZEN_API_RATE_PER_TOKEN": "100000",
        "ZEN_MCP_RATE_PER_TOKEN": "100000",
        "ZEN_API_RATE_PER_ADDRESS": "100000",
    }
    with worker(env), site(env, "tests.zen_project.mcp.conformance.app:application") as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("suite", SUITES)
def test_the_suite_finds_only_what_its_baseline_explains(served: Site, suite: str, tmp_path: Path) -> None:
    package, which = SUITES[suite]
    baseline = BASELINES / f"{suite}.yaml"
    asked = ["server", "--url", f"{served.url}/mcp", *which, "--expected-failures", str(baseline), "-o", str(tmp_path)]
    for _ in range(TRIES):
        found = subprocess.run(
            [node(), str(script(package, "dist/index.js")), *asked],
            cwd=ROOT, capture_output=True, text=True, timeout=4 * PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        if found.returncode == 0:
            break
    assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
    assert "passed" in found.stdout.lower()


def test_each_line_of_a_baseline_says_why() -> None:
    for suite in SUITES:
        text = (BASELINES / f"{suite}.yaml").read_text()
        lines = [line for line in text.splitlines() if line.strip().startswith("- ")]
        assert lines == [line for line in lines if "  # " in line], suite
        assert len(yaml.safe_load(text)["server"] or []) == len(lines)
