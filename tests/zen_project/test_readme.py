"""What a stranger does who follows the README, with another port than its 9000."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from foundation.machine.tcp_ports import listens
from orchestration.core.project import validate_spec
from orchestration.runs import check_definition
from tests.system.crash.workers import ROOT
from zen_project.embedded.ports import free_port
from zen_project.embedded.process import OwnedServer

pytestmark = pytest.mark.django_db(transaction=True)
README = (ROOT / "README.md").read_text()
ADDRESS = "127.0.0.1:9000"
STARTS = [line.partition(" # ")[0] for line in README.splitlines() if "manage.py saga start" in line]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Of the README's shop, in a process of its own."""
    found = free_port()
    (command,) = [line for line in README.splitlines() if line.startswith(".venv/bin/python -m ")]
    argv = [sys.executable, *shlex.split(command)[1:], "--port", str(found)]
    with OwnedServer(name="shop", argv=argv, log=tmp_path / "shop.log", address="", cwd=ROOT) as shop:
        shop.wait_until(lambda: listens(found))
        yield found


def blocks() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("line", "status"), [*zip(STARTS, ["completed", "completed", "rolled_back"], strict=True)])
def test_its_sagas_end_as_it_says(
    line: str, status: str, port: int, process_env: dict[str, str], tmp_path: Path
) -> None:
    _, manage, *words = shlex.split(line)
    given = next(word for word in words if word.startswith("examples/"))
    saga = tmp_path / "saga.yaml"
    saga.write_text((ROOT / given).read_text().replace(ADDRESS, f"127.0.0.1:{port}"))
    assert f":{port}" in saga.read_text() and f"ZEN_OUTBOUND_ALLOW={ADDRESS} make up" in README
    command = [sys.executable, manage, *(str(saga) if word == given else word for word in words), "--json"]
    env = process_env | {"ZEN_OUTBOUND_ALLOW": f"127.0.0.1:{port}", "ZEN_ENGINE": "celery"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["status"] == status, done.stderr
    rows = map(str.split, (tmp_path / "shop.log").read_text().splitlines()[1:])
    calls = [words[0] for words in rows if words]  # two calls at once can end their lines in either order
    assert "POST" in calls and ("DELETE" in calls) == (status == "rolled_back")


def test_all_examples_call_the_address_that_it_allows() -> None:
    for example in (ROOT / "examples").glob("*.yaml"):
        assert set(re.findall(r"http://([^\"'\s/,}]+)", example.read_text())) <= {ADDRESS}, example.name


def test_its_yaml_is_the_example_and_takes_its_gate() -> None:
    saga, gate, project = blocks()
    assert validate_spec(yaml.safe_load(project)).requirements == ("A cart", "A till, after R1")
    assert saga == (ROOT / "examples" / "shop.yaml").read_text()
    whole: dict[str, Any] = yaml.safe_load(saga)
    check_definition(whole)
    first, second = whole["steps"]
    check_definition({**whole, "steps": [first, *yaml.safe_load(gate), second]})
