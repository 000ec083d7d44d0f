"""What a workflow of ours runs has no clock, no chance and no world but the workflow's.

The worker hosts workflows without the SDK's sandbox (docs/adr/0009), which passed all of these modules through anyway.
Replays (test_histories.py) run in the sandbox.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.system.crash.workers import ROOT

HOSTED = [
    *sorted((ROOT / "orchestration" / "core").rglob("*.py")),
    *(ROOT / "orchestration" / "workers" / "temporal" / name for name in ("saga_workflow.py", "external_workflow.py")),
    ROOT / "orchestration" / "engines" / "temporal" / "dto.py",
]
MODULES = {"os", "random", "secrets", "socket", "subprocess", "threading", "time", "uuid", "io", "pathlib", "tempfile"}
ASKS_THE_WORLD = {"now", "utcnow", "today", "uuid1", "uuid4", "urandom", "getenv", "environ", "urlopen", "connect"}
BUILTINS = {"open", "input", "id", "hash", "exec", "eval"}


def faults(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            found.append(node.module or "")
        elif isinstance(node, ast.Attribute) and node.attr in ASKS_THE_WORLD:
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            found += [] if owner == "workflow" else [f"{owner}.{node.attr}"]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUILTINS:
            found.append(f"{node.func.id}()")
    return found


@pytest.mark.parametrize("path", HOSTED, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_workflow_runs_asks_the_world_for_nothing(path: Path) -> None:
    assert faults(path.read_text()) == []


@pytest.mark.parametrize(
    "slip",
    [
        "import random",
        "from time import time",
        "datetime.now(UTC)",
        "date.today()",
        "uuid.uuid4()",
        "open('x')",
        "hash(x)",
    ],
)
def test_a_slip_is_found(slip: str) -> None:
    assert faults(slip)
    assert faults("workflow.now()") == []
