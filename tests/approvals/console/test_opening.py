"""`approval open`: exit codes, used handles, and waiting for people."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from approvals.models import Request
from orchestration.models import Run
from tests.approvals.console.conftest import Manage
from tests.approvals.scenes import TWO_STAGES, published
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.cast import account, says
from tests.system.crash.workers import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("people")]
OPEN = ("approval", "open", "--stage", "docs", "--description", "Publish it?", "--approver", "bob")


def test_a_request_is_opened_with_all_that_can_be_given(manage: Manage) -> None:
    account("erin", "leads")
    account("oscar", "operator")
    published(TWO_STAGES)
    done = manage(
        "approval", "open", "--stage", "deployment", "--description", "Go?", "--context", "size=3", "--context",
        "name=A-1", "--policy", "deployment", "--about", "run-1", "--timeout", "3600", "--request-id", "r1",
        "--engine", "celery", "--as", "oscar", "--json",
    )  # fmt: skip
    view = json.loads(done.stdout)
    assert done.returncode == 0 and view["waiting_for"] == ["bob", "carol"]
    assert view["content"]["context"] == {"size": 3, "name": "A-1"}
    assert (view["about"], view["requester"], view["status"]) == ("run-1", "oscar", "pending")


def test_a_used_handle_opens_nothing(manage: Manage) -> None:
    assert manage(*OPEN, "--request-id", "r1").returncode == 0
    assert manage(*OPEN, "--request-id", "r1").returncode == 0
    assert Request.objects.count() == 1
    other = manage(*OPEN, "--request-id", "r1", "--context", "size=3")
    assert other.returncode == 2 and "with another content" in other.stderr
    says("bob", "reject", "r1")
    assert manage(*OPEN, "--request-id", "r1").returncode == 1


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--approver", "zoe"), 2, "there is no user 'zoe'"),
        (("--engine", "nonsense"), 2, "engine 'nonsense' does not exist"),
        (("--context", "size"), 2, "is not KEY=VALUE"),
        (("--engine", "temporal"), 3, "temporal"),
    ],
)
def test_what_cannot_be_opened_leaves_nothing(manage: Manage, more: tuple[str, ...], code: int, said: str) -> None:
    done = manage(*OPEN, *more)
    assert done.returncode == code and said in done.stderr and "Traceback" not in done.stderr
    assert not Request.objects.exists() and not Run.objects.exists()


def test_nobody_answering_ends_the_wait_with_exit_1(manage: Manage) -> None:
    done = manage(*OPEN, "--timeout", "0.5", "--wait", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["status"] == "expired"


@pytest.mark.parametrize(("choice", "code", "status"), [("approve", 0, "approved"), ("reject", 1, "rejected")])
def test_it_waits_for_people(process_env: dict[str, str], choice: str, code: int, status: str) -> None:
    command = [sys.executable, "manage.py", *OPEN, "--request-id", "r1", "--wait", "--json"]
    env = process_env | {"ZEN_ENGINE": "celery"}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as waiting:
        wait_until(Request.objects.filter(status="pending").exists, "a pending request")
        says("bob", choice, "r1")
        out, _ = waiting.communicate(timeout=PATIENCE_SECONDS)
    assert waiting.returncode == code and json.loads(out)["status"] == status
