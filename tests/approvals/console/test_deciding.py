"""Deciding at the console: as an account, with its rights, after a look at what will happen."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable

import pytest

from approvals.models import Request, Vote
from approvals.requests import resubmit
from foundation.models import AuditEvent
from tests.approvals.console.conftest import Manage
from tests.approvals.scenes import ADA, TWO_STAGES, asked, published
from tests.system.contract.cast import account, actor, says
from tests.system.crash.workers import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("people")]
AtTerminal = Callable[..., tuple[int, str]]


@pytest.fixture
def at_terminal(process_env: dict[str, str]) -> AtTerminal:
    """`manage.py` with a terminal on its standard input, at which somebody types the answer."""

    def run(answer: str, *arguments: str) -> tuple[int, str]:
        keyboard, terminal = pty.openpty()
        try:
            os.write(keyboard, f"{answer}\n".encode())
            done = subprocess.run(
                [sys.executable, "manage.py", *arguments], cwd=ROOT, env=process_env | {"ZEN_ENGINE": "celery"},
                stdin=terminal, capture_output=True, text=True, check=False,
            )  # fmt: skip
        finally:
            os.close(terminal)
            os.close(keyboard)
        return done.returncode, done.stderr

    return run


def test_a_yes_is_the_accounts_and_says_who_typed_it(manage: Manage) -> None:
    asked(request_id="r1", approvers=("bob", "carol"), how_many="all")
    done = manage("approval", "approve", "r1", "--as", "bob", "--comment", "fine", "--yes", "--json")
    view = json.loads(done.stdout)
    assert done.returncode == 0 and (view["status"], view["waiting_for"]) == ("pending", ["carol"])
    (vote,) = Vote.objects.all()
    assert (vote.name, vote.door, vote.strength, vote.comment) == ("bob", "console", "console", "fine")
    assert vote.evidence["operator"]
    row = AuditEvent.objects.get(action="approval.approve")
    assert (row.actor, row.door, row.data["strength"]) == ("bob", "console", "console")
    done = manage("approval", "approve", "r1", "--as", "carol@example.com", "--yes")
    assert (done.returncode, done.stdout) == (0, "r1 is approved\n")


def test_a_form_is_shown_and_answered(manage: Manage) -> None:
    form = [{"name": "ticket"}, {"name": "risk", "type": "choice", "choices": ["low", "high"]}]
    published({"policy": "f", "stages": [{"name": "one", "who": {"users": ["bob"]}, "form": form}]})
    asked(request_id="r1", policy="f")
    assert "asked with approve: --answer risk, one of low, high" in manage("approval", "show", "r1").stdout
    done = manage("approval", "approve", "r1", "--as", "bob", "--answer", "ticket=7", "--yes")
    assert done.returncode == 2 and "'risk' has to be answered" in done.stderr and not Vote.objects.exists()
    answers = ["--answer", "ticket=7", "--answer", "risk=low"]
    assert manage("approval", "approve", "r1", "--as", "bob", *answers, "--yes").returncode == 0
    assert Vote.objects.get().answers == {"ticket": "7", "risk": "low"}
    assert "answers: ticket=7, risk=low" in manage("approval", "show", "r1").stdout


def test_without_a_terminal_and_without_yes_nothing_is_done(manage: Manage) -> None:
    account("erin", "leads")
    published(TWO_STAGES)
    asked(request_id="r1")
    done = manage("approval", "approve", "r1", "--as", "bob")
    assert done.returncode == 2 and done.stdout == "" and "repeat with --yes" in done.stderr
    assert "bob says approve" in done.stderr and "stage 'leads' opens: erin asked" in done.stderr
    done = manage("approval", "approve", "r1", "--as", "dora")
    assert done.returncode == 1 and "not possible: this person is not among those who decide now" in done.stderr
    assert not Vote.objects.exists() and Request.objects.get().status == "pending"


def test_at_a_terminal_it_asks(at_terminal: AtTerminal) -> None:
    asked(request_id="r1", approvers=("bob",), description="Go \x1b[2J on?")
    reject = ("approval", "reject", "r1", "--as", "bob", "--comment", "no")
    code, said = at_terminal("n", *reject)
    assert code == 1 and "it ends rejected" in said and "\x1b" not in said.replace("\x1b[0m", "")
    assert not Vote.objects.exists()
    code, said = at_terminal("y", *reject)
    assert code == 0 and Request.objects.get().status == "rejected"


@pytest.mark.parametrize("yes", [(), ("--yes",)])
def test_who_has_no_seat_or_no_role_or_asked_for_it_does_not_decide(manage: Manage, yes: tuple[str, ...]) -> None:
    account("vera", "viewer")
    account("oscar", "operator", "approver")
    asked(request_id="r1", approvers=("bob", "oscar"), actor=actor(account("oscar")))
    for name in ("carol", "vera", "oscar"):
        done = manage("approval", "approve", "r1", "--as", name, *yes)
        assert done.returncode == 1 and done.stderr
    assert not Vote.objects.exists()


def test_what_is_wrong_is_named_and_changes_nothing(manage: Manage) -> None:
    asked(request_id="r1", approvers=("bob",), editable=("context.size",), context={"size": 3})
    for arguments, code, said in (
        (("reject", "r1", "--as", "bob"), 2, "reject needs a comment"),
        (("approve", "r1", "--as", "zoe"), 2, "--as 'zoe': there is no such user"),
        (("approve", "r2", "--as", "bob"), 2, "there is no approval 'r2'"),
        (("approve", "r1", "--as", "bob", "--edit", "context.size"), 2, "is not KEY=VALUE"),
        (("approve", "r1", "--as", "bob", "--edit", "context.name=x"), 2, "'context.name' cannot be edited"),
        (("abstain", "r1", "--as", "bob", "--edit", "context.size=2"), 2, "edits are only possible with an approval"),
    ):
        done = manage("approval", *arguments, "--yes")
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert not Vote.objects.exists()
    done = manage("approval", "approve", "r1", "--as", "bob", "--edit", "context.size=2", "--yes", "--json")
    assert json.loads(done.stdout)["edits"] == {"context.size": 2}
    late = manage("approval", "reject", "r1", "--as", "bob", "--comment", "no", "--yes")
    assert late.returncode == 1 and "it is approved already by bob" in late.stderr


def test_a_yes_without_a_question_names_what_it_is_to_from_round_two_on(manage: Manage) -> None:
    request = asked(request_id="r1", approvers=("bob",), description="v1")
    before = request.shown_hash
    assert manage("approval", "request-changes", "r1", "--as", "bob", "--yes").returncode == 0
    now = resubmit(request_id="r1", actor=ADA, description="v2 drop database").shown_hash
    say = ("approval", "approve", "r1", "--as", "bob", "--yes")
    done = manage(*say)
    assert done.returncode == 2 and "an approval has to name the content it is for" in done.stderr and not yeses()
    assert "has changed since it was shown" in manage(*say, "--seen", before).stderr and not yeses()
    assert manage(*say, "--seen", now).returncode == 0 and yeses()[0].content_hash == now


def test_at_a_terminal_a_yes_is_to_what_was_written_there(at_terminal: AtTerminal) -> None:
    request = asked(request_id="r1", approvers=("bob",), description="v1")
    says("bob", "request-changes", request)
    now = resubmit(request_id="r1", actor=ADA, description="v2 drop database").shown_hash
    code, said = at_terminal("y", "approval", "approve", "r1", "--as", "bob")
    assert code == 0 and "v2 drop database" in said.replace("\n", " ") and now in said
    assert yeses()[0].content_hash == now


def yeses() -> list[Vote]:
    return list(Vote.objects.filter(choice="approve"))
