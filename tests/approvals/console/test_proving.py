"""`approval receipt` and `approval verify-receipt` as processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foundation.audit import signing_key
from tests.approvals.console.conftest import Manage
from tests.approvals.scenes import asked
from tests.system.contract.cast import says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("people")]


def test_a_receipt_is_made_and_verified(manage: Manage, tmp_path: Path) -> None:
    request = asked(request_id="r1", approvers=("bob",))
    early = manage("approval", "receipt", "r1")
    assert early.returncode == 1 and early.stdout == "" and "an open request has no receipt" in early.stderr
    says("bob", "approve", request)
    path = tmp_path / "receipt.json"
    done = manage("approval", "receipt", "r1", "--output", str(path))
    assert (done.returncode, done.stdout) == (0, "") and json.loads(path.read_text())["hash"] in done.stderr
    good = manage("approval", "verify-receipt", str(path))
    assert (good.returncode, good.stdout) == (0, "genuine: r1 is approved\n")
    assert manage("approval", "verify-receipt", str(path), "--key", signing_key.public_key()).returncode == 0
    other = manage("approval", "verify-receipt", str(path), "--key", "A" * 43 + "=", "--json")
    assert other.returncode == 1 and json.loads(other.stdout)["problems"] == ["the signature does not hold"]
    path.write_text(path.read_text().replace('"decision": "approve"', '"decision": "reject"'))
    forged = manage("approval", "verify-receipt", str(path))
    assert forged.returncode == 1 and "the votes are not those that the audit has" in forged.stdout


@pytest.mark.parametrize("wrong", ["missing", "text", "other", "key"])
def test_bad_input_exits_2(manage: Manage, tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "file.json"
    if wrong != "missing":
        path.write_text({"text": "no JSON", "other": "{}"}.get(wrong, '{"kind": "zen approval receipt", "version": 1}'))
    done = manage("approval", "verify-receipt", str(path), *(["--key", "short"] if wrong == "key" else []))
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_a_request_that_is_not_there_exits_2(manage: Manage) -> None:
    done = manage("approval", "receipt", "nobody")
    assert done.returncode == 2 and "there is no approval 'nobody'" in done.stderr
