"""The version is said once, and the changelog, the images and a tag agree with it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
CHANGES = (ROOT / "CHANGELOG.md").read_text()


def test_the_changelog_has_the_version_with_its_date_on_top() -> None:
    assert re.findall(r"^## (.*)$", CHANGES, re.MULTILINE)[0] == "Unreleased"
    latest = re.search(r"^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$", CHANGES, re.MULTILINE)
    assert latest and latest[1] == VERSION


def test_the_image_has_the_version() -> None:
    assert f"image: zen-orchestration:{VERSION}\n" in (ROOT / "docker-compose.yml").read_text()


def test_a_commit_with_a_tag_of_a_version_has_that_version() -> None:
    command = ["git", "tag", "--points-at", "HEAD", "--list", "v*"]
    tags = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert set(tags) <= {f"v{VERSION}"}
