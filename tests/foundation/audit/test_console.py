"""`manage.py audit` as a process: exit codes, what is said, what a stranger can do with the export."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from foundation.audit import signing_key
from foundation.audit.seal import seal
from foundation.models import AuditSeal
from tests.foundation.audit.scenes import chain, tamper
from tests.system.crash.workers import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
Audit = Callable[..., subprocess.CompletedProcess[str]]
DOCS = ROOT / "docs" / "reference" / "audit.md"


@pytest.fixture
def audit(process_env: dict[str, str]) -> Audit:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", "audit", *arguments]
        return subprocess.run(command, cwd=ROOT, env=process_env, capture_output=True, text=True, check=False)

    return run


def test_a_whole_audit_is_exit_code_0(audit: Audit) -> None:
    chain("run-a", 3)
    sealed = audit("seal")
    assert sealed.returncode == 0 and sealed.stdout.strip() == AuditSeal.objects.get().hash
    done = audit("verify", "--seal", sealed.stdout.strip())
    assert (done.returncode, done.stdout) == (0, "")
    assert "whole: 3 rows in 1 chains, 1 seals" in done.stderr
    told = json.loads(audit("verify", "--json", "--workflow-id", "run-a").stdout)
    assert told == {"whole": True, "rows": 3, "chains": 1, "seals": 1, "findings": []}


def test_a_broken_audit_is_exit_code_1_and_names_the_row(audit: Audit) -> None:
    chain("run-a", 3)
    chain("run-b", 3)
    tamper("UPDATE orchestration_auditevent SET note = 'x' WHERE workflow_id = 'run-a' AND seq = 2")
    done = audit("verify")
    assert (done.returncode, done.stdout) == (1, "chain 'run-a': row 2 was changed\n")
    told = audit("verify", "--json")
    (finding,) = json.loads(told.stdout)["findings"]
    assert told.returncode == 1
    assert finding == {"chain": "run-a", "seq": 2, "seal": None, "what": "changed", "message": "row 2 was changed"}
    assert audit("verify", "--workflow-id", "run-b").returncode == 0


@pytest.mark.parametrize("wrong", [("--workflow-id", "nobody"), ("--trust", "abc"), ("--nonsense",)])
def test_bad_input_is_exit_code_2(audit: Audit, wrong: tuple[str, ...]) -> None:
    done = audit("verify", *wrong)
    assert done.returncode == 2 and wrong[-1] in done.stderr


def test_the_public_key_can_be_had(audit: Audit) -> None:
    assert audit("key").stdout.strip() == signing_key.public_key()
    assert audit("key", "--pem").stdout.strip() == signing_key.public_pem().strip()


def recipe(tmp_path: Path) -> Path:
    """The program that docs/reference/audit.md gives to others."""
    (program,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    path = tmp_path / "verify_audit.py"
    path.write_text(program)
    return path


def verified(program: Path, exported: str, key: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(program), key]
    return subprocess.run(command, input=exported, capture_output=True, text=True, check=False)


def test_a_stranger_verifies_the_export_by_the_recipe_of_the_docs(audit: Audit, tmp_path: Path) -> None:
    chain("", 2)
    chain("run-ä", 3)
    seal()
    chain("run-b", 2)
    seal()
    program, key = recipe(tmp_path), audit("key").stdout.strip()
    exported = audit("export").stdout
    whole = verified(program, exported, key)
    assert (whole.returncode, whole.stdout) == (0, "whole: 7 rows, 2 seals\n"), whole.stderr
    lines = exported.splitlines(keepends=True)
    for number, line in enumerate(lines):
        rest = [*lines[:number], *lines[number + 1 :]]
        if json.loads(line).get("number") != 2:  # the last seal: only who kept its hash misses it
            assert is_refused(program, rest, key), line
        forged = line.replace("alice", "mallory").replace('"rows": ', '"rows": 1')
        assert is_refused(program, [*lines[:number], forged, *lines[number + 1 :]], key), line
    assert is_refused(program, lines, base64.b64encode(bytes(32)).decode())


def is_refused(program: Path, lines: list[str], key: str) -> bool:
    done = verified(program, "".join(lines), key)
    return done.returncode == 1 and done.stderr.startswith("NOT WHOLE")
