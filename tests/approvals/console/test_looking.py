"""What the console shows of requests: all that a decision needs, and nothing that deceives the eye or the terminal."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from approvals.console import requests
from approvals.models import Request
from approvals.policies.principals import person_of
from approvals.queries.requests import request_row
from approvals.queries.view import request_view
from approvals.requests import remark, resubmit
from foundation.console.text import visible
from notifications.delivery.worker import deliver_due
from notifications.models import Delivery
from tests.approvals.admin.test_doors import client_of, page_of
from tests.approvals.console.conftest import Manage
from tests.approvals.scenes import ADA, TWO_STAGES, asked, published
from tests.system.contract.cast import account, actor, says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("people")]
HOSTILE = "pay \u202eevil\u2066 \u200b[bold]now[/bold] :boom: \x1b[2J\x07 \u2028end"


def shown(request: Request, capsys: pytest.CaptureFixture[str], at: datetime | None = None) -> str:
    capsys.readouterr()
    requests.shown(request_view(Request.objects.get(pk=request.pk)), at or request.created_at)
    return capsys.readouterr().out


def test_lists_are_filtered(manage: Manage) -> None:
    account("erin", "leads")
    published(TWO_STAGES)
    asked(request_id="one", about="run-1")
    asked("docs", request_id="two", approvers=("carol",), timeout_seconds=60)
    says("carol", "approve", asked(request_id="three", approvers=("carol",)))

    def handles(*arguments: str) -> list[str]:
        done = manage("approval", "list", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return [row["request_id"] for row in json.loads(done.stdout)]

    assert handles() == ["three", "two", "one"]
    assert handles("--mine", "carol") == ["two", "one"]  # the more urgent one first
    assert handles("--mine", "carol@example.com", "--stage", "docs", "--status", "pending") == ["two"]
    assert handles("--status", "approved", "--status", "expired", "--limit", "1") == ["three"]
    assert handles("--about", "run-1") == ["one"]
    wrong = manage("approval", "list", "--status", "open")
    assert wrong.returncode == 2 and "pending" in wrong.stderr
    assert manage("approval", "list", "--mine", "zoe").returncode == 2
    rows = [line.split("\t") for line in manage("approval", "list").stdout.splitlines()]
    assert [row[:3] for row in rows][:2] == [["three", "approved", "deployment"], ["two", "pending", "docs"]]
    assert "there are none" in manage("approval", "list", "--about", "nothing").stderr


def test_one_request_as_json_and_as_text(manage: Manage) -> None:
    request = asked(request_id="r1", approvers=("bob",), description="Deploy 4.2\nwith care")
    done = manage("approval", "show", "r1", "--json")
    assert json.loads(done.stdout) == json.loads(json.dumps(request_view(request), default=str))
    assert manage("approval", "show", "r1").stdout.startswith("r1  pending\nDeploy 4.2\nasked by ada at ")
    assert manage("approval", "show", "r2").returncode == 2


def test_all_that_a_decision_needs_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    account("erin", "leads")
    published({**TWO_STAGES, "stages": [{**TWO_STAGES["stages"][0], "how_many": "all"}, TWO_STAGES["stages"][1]]})
    bob = account("bob")
    request = asked(request_id="r1", description="Deploy 4.2", context={"size": 1}, facts={"diff": "+3"})
    remark(request_id="r1", actor=actor(bob), person=person_of(bob), kind="question", text="Why now?")
    says("bob", "request-changes", request, "smaller")
    resubmit(request_id="r1", actor=ADA, context={"size": 2})
    says("carol", "approve", request, "fine")
    text = shown(request, capsys, datetime.now(UTC) + timedelta(days=1, hours=2))
    for line in (
        "context:", '   "size": 2', "computed by Zen:", "changed since round 1:", '  -  "size": 1', '  +  "size": 2',
        "stage peers (open): all of bob, carol", "stage leads (not reached): any of erin",
        "waits for bob, 1 more to approve", "bob said request-changes (peers, round 1, by python/login): smaller",
        "carol said approve (peers, round 2, by python/login): fine", "question of bob: Why now?",
        "→ manage.py approval approve r1 --as USER",
    ):  # fmt: skip
        assert line in text, line
    assert "(1 d 21 h left)" in text or "(1 d 22 h left)" in text
    assert "(over)" in shown(request, capsys, datetime.now(UTC) + timedelta(days=9))


@pytest.mark.parametrize("terminal", [False, True])
def test_hidden_characters_are_spelled_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    request = asked(
        request_id="r1", approvers=("bob",), description=HOSTILE, title=HOSTILE, context={HOSTILE: [HOSTILE]}
    )
    says("bob", "reject", request, HOSTILE)
    text = shown(request, capsys)
    requests.listed([request_row(Request.objects.get())])
    requests.outcome(request_view(Request.objects.get()))
    text = re.sub(r"\x1b\[[0-9;]*m", "", text + capsys.readouterr().out)  # our own colours
    for char in "\u202e\u2066\u200b\x1b\x07\u2028":
        assert char not in text
    assert r"pay \u202eevil\u2066 \u200b[bold]now[/bold] :boom: \x1b[2J\x07 \u2028end" in text


def test_who_is_waited_for_and_was_never_reached_is_said(
    capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    """Without a mail server an address alone is nobody who hears of it."""
    settings.ZEN_APPROVERS_BY_ADDRESS = True
    request = asked(request_id="r1", approvers=("eve@example.com", "bob"))
    assert request_view(request)["not_reached"] == []
    deliver_due()
    dead = Delivery.objects.get(person_key="email:eve@example.com")
    assert dead.status == Delivery.DEAD
    assert "not reached: eve@example.com (there is no mail server; set EMAIL_URL" in shown(request, capsys)
    page = client_of("bob").get(page_of(request)).content.decode()
    assert "Not reached: eve@example.com, bob (there is no mail server" in page
    Delivery.objects.filter(pk=dead.pk).update(status=Delivery.SENT)
    assert "eve@example.com (" not in shown(request, capsys)


def test_an_end_is_not_its_own_reason(capsys: pytest.CaptureFixture[str]) -> None:
    request = asked(request_id="r1", approvers=("bob",))
    says("bob", "reject", request, "no")
    assert "because: rejected" not in shown(request, capsys)
    requests.outcome(request_view(Request.objects.get()))
    assert capsys.readouterr().out == "r1 is rejected\n"


def test_help_opens_with_what_the_command_is_for(manage: Manage) -> None:
    shown = " ".join(manage("approval", "--help").stdout.split())
    assert "Ask for approval, see what waits, decide, simulate policies" in shown and "Wrong settings" not in shown


def test_what_is_plain_stays_as_it_is() -> None:
    assert visible("Größe 3 µm\n\t„ok“ 👍 漢字") == "Größe 3 µm\n\t„ok“ 👍 漢字"
    assert visible("a\nb\tc", lines=False) == r"a\x0ab\x09c"
    assert visible("\U000e0001\ue000") == r"\U000e0001\ue000"


def test_a_large_content_is_cut_with_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    request = asked(request_id="r1", approvers=("bob",), context={"log": list(range(5000)), "line": "x" * 5000})
    text = shown(request, capsys)
    assert "more lines; --json has all" in text and len(text.splitlines()) < 300
