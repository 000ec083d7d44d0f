"""Receipts: what is in them, when there is none, and that nobody can change one unseen, with our program or theirs."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from approvals.evidence import receipt as receipts
from approvals.evidence.receipt import receipt
from approvals.evidence.verify_receipt import problems, signed_bytes
from approvals.models import Policy, Request, Vote
from approvals.requests import delegate_while_away, publish_policy, resubmit, withdraw
from foundation.audit import log, signing_key
from foundation.audit.heads import heads_of
from foundation.audit.seal import seal
from foundation.canonical_json import FORMS, JCS, OWN, canonical, sha256
from foundation.clock import now
from foundation.errors import BadInput, WrongState
from foundation.models import SealedHead
from orchestration.runs import start_run
from tests.approvals.scenes import ADA, TWO_STAGES, asked, published
from tests.foundation.audit.scenes import tamper
from tests.system.contract.cast import account, says
from tests.system.contract.hosts import celery_host, until
from tests.system.crash.workers import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
Receipt = dict[str, Any]
Forge = Callable[[Receipt], object]
OTHER_SEED = "b3RoZXItc2VlZC1vZi0zMi1ieXRlcy1mb3ItdGVzdHM="
CONTENT = {"size": 3, "share": 2.0, "large": 1e300, "tiny": 1e-7, "name": "Größe \u202e", "list": [1.5, {"a": None}]}


@pytest.fixture
def decided() -> Request:
    """Two rounds, a comment, a delegation, an edit, and two stages: all that a receipt can hold."""
    for name in ("bob", "carol", "dora"):
        account(name)
    account("erin", "leads")
    account("ada", "operator")
    body = copy.deepcopy(TWO_STAGES)
    body["stages"][1]["editable"] = ["context.size"]
    body["stages"][1]["remind"] = [3600]
    published(body)
    day = timedelta(days=1)
    carol, dora = account("carol"), account("dora")
    delegate_while_away(actor=ADA, owner=carol, to=dora, starts_at=now() - day, ends_at=now() + day)
    request = asked(description="Deploy?", context={"size": 1})
    says("bob", "request-changes", request, "too small")
    resubmit(request_id=str(request), actor=ADA, context=CONTENT)
    says("dora", "approve", request, "fine for carol")
    says("erin", "approve", request, "", edits={"context.size": 2})
    seal()
    return Request.objects.get()


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Those that docs/reference/receipts.md gives to others: the short one and the whole one."""
    texts = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "reference" / "receipts.md").read_text(), re.DOTALL)
    paths = [tmp_path_factory.mktemp("recipe") / "verify_receipt.py" for _ in texts]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths


@pytest.fixture
def short_program(programs: list[Path]) -> Path:
    return programs[0]


@pytest.fixture
def program(programs: list[Path]) -> Path:
    return programs[1]


def verified(program: Path, made: Receipt, key: str = "") -> subprocess.CompletedProcess[str]:
    path = program.parent / "receipt.json"
    path.write_text(json.dumps(made))
    command = [sys.executable, "-I", str(program), key or signing_key.public_key(), str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def signed_anew(made: Receipt) -> Receipt:
    """As somebody could who has the key of the site, but not its past."""
    content = {name: value for name, value in made.items() if name not in ("hash", "signature")}
    known = sha256(FORMS[content["version"]](content))
    return {**content, "hash": known, "signature": signing_key.sign(signed_bytes(known))}


def test_it_names_the_form_of_its_hash(decided: Request, program: Path) -> None:
    assert receipt(decided)["version"] == OWN, "its content holds a whole number beyond 2^53"
    small = asked(request_id="small")
    withdraw(request_id="small", actor=ADA, note="Größe")
    made = json.loads(json.dumps(receipt(small)))
    assert (made["version"], {row["hash_version"] for row in made["audit"]}) == (JCS, {JCS})
    assert problems(made) == [] and verified(program, made).stdout == "genuine: small is withdrawn, 0 votes\n"
    assert problems({**made, "version": OWN}) and verified(program, {**made, "version": OWN}).returncode == 1


def test_one_of_a_release_that_knew_one_form_is_genuine(
    program: Path, short_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bob", "carol", "dora"):
        account(name)
    account("erin", "leads")
    account("ada", "operator")
    published(TWO_STAGES)
    with monkeypatch.context() as before:
        before.setattr(log, "in_latest_form", lambda link: (link, link.hash()))
        before.setattr(receipts, "form_of", lambda content: OWN)
        old = asked(request_id="old")
        withdraw(request_id="old", actor=ADA, note="Größe")
        made = json.loads(json.dumps(receipt(old)))
    assert made["version"] == OWN and not any("hash_version" in row for row in made["audit"])
    assert problems(made) == []
    assert all(verified(one, made).returncode == 0 for one in (program, short_program))
    assert problems(json.loads(json.dumps(receipt(old)))) == [], "made today, of rows of before"


def test_it_says_who_decided_what_on_which_content(decided: Request) -> None:
    made = json.loads(json.dumps(receipt(decided)))
    assert problems(made) == []
    assert (made["request"]["status"], made["request"]["requester"], made["request"]["edits"]) == (
        "approved", "ada", {"context.size": 2},
    )  # fmt: skip
    assert [one["content"]["context"].get("large") for one in made["rounds"]] == [None, int(1e300)]
    told = [(v["name"], v["decision"], v["round"], v["stage"], v["comment"], v["door"]) for v in made["votes"]]
    assert told == [
        ("bob", "request-changes", 1, "peers", "too small", "python"),
        ("dora", "approve", 2, "peers", "fine for carol", "python"),
        ("erin", "approve", 2, "leads", "", "python"),
    ]
    dora = made["votes"][1]
    assert made["people"][dora["on_behalf_of"]] == "carol" and dora["delegation"]["from"] == "carol"
    assert dora["content_hash"] == made["rounds"][1]["content_hash"] == made["request"]["content_hash"]
    assert made["policy"]["hash"] == Policy.objects.get().hash and made["policy"]["name"] == "deployment"
    assert [row["action"] for row in made["audit"]] == [
        "approval.ask", "approval.request-changes", "approval.changed", "approval.approve", "approval.approve",
        "approval.ended",
    ]  # fmt: skip
    assert made["seal"]["head"] == [str(decided), 6, made["audit"][-1]["hash"]] and "heads" not in made["seal"]
    assert made["grant"] is None


def test_there_is_none_while_it_is_open_and_none_is_written(decided: Request) -> None:
    request = asked(request_id="open")
    with pytest.raises(WrongState, match="'open' is pending; an open request has no receipt"):
        receipt(request)
    withdraw(request_id="open", actor=ADA)
    made = receipt(request)
    assert problems(made) == [] and made["request"]["status"] == "withdrawn" and made["votes"] == []
    assert made["seal"] is None


@pytest.mark.django_db(transaction=True)
def test_heads_are_read_outside_the_transaction_and_of_a_seal_that_is_made(
    decided: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outside(number: int) -> list[tuple[str, int, str]]:
        assert not connection.in_atomic_block, "others wait for the writer's place"
        return list(heads_of(number))

    monkeypatch.setattr(receipts, "heads_of", outside)
    SealedHead.objects.create(seal_id=2, chain=str(decided), seq=6, hash="0" * 64)  # a page of one that is being made
    made = receipt(decided, heads=True)
    assert made["seal"]["number"] == 1 and problems(made) == []


def test_a_seal_can_come_with_all_its_heads(decided: Request) -> None:
    made = receipt(decided, heads=True)
    assert problems(made) == [] and made["seal"]["head"] in made["seal"]["heads"]
    made["seal"]["heads"][0][2] = "0" * 64
    assert "the heads of the seal were changed" in problems(made)


def test_the_use_of_a_yes_is_in_it() -> None:
    account("bob")
    gate = {"step_id": "gate", "forward_action": {"type": "approval", "approvers": ["bob"], "description": "Go on?"}}
    with celery_host() as engine:
        run, _ = start_run(definition={"saga_id": "s", "steps": [gate]}, actor=ADA, engine=engine)
        until(run, lambda _: Request.objects.filter(status="pending").exists())
        says("bob", "approve", Request.objects.get())
        assert until(run).status == "completed"
    made = receipt(Request.objects.get())
    assert problems(made) == [] and made["grant"]["spent_by"].endswith(":gate:forward:1")
    assert made["audit"][-1]["action"] == "approval.spend" and made["request"]["about"] == run.workflow_id
    made["grant"] = None
    assert "the use of the yes is not what the audit has" in problems(made)


def test_a_grant_that_the_audit_does_not_have_is_not_signed(decided: Request) -> None:
    Request.objects.filter(pk=decided.pk).update(spent_by="run:step:forward:1", spent_at=now())
    with pytest.raises(WrongState, match="the use of the yes is not what the audit has"):
        receipt(decided)


def _vote(made: Receipt) -> None:
    made["votes"][0]["decision"] = "approve"


def _voter(made: Receipt) -> None:
    made["votes"][1]["person"] = made["votes"][2]["person"]


def _content(made: Receipt) -> None:
    made["rounds"][1]["content"]["context"]["size"] = 300


def _content_and_hash(made: Receipt) -> None:
    _content(made)
    made["rounds"][1]["content_hash"] = sha256(canonical(made["rounds"][1]["content"]))


def _policy(made: Receipt) -> None:
    made["policy"]["body"]["stages"].pop()


def _row_dropped(made: Receipt) -> None:
    del made["audit"][1]


def _vote_and_row_dropped(made: Receipt) -> None:
    del made["audit"][1], made["votes"][0]


def _row(made: Receipt) -> None:
    made["audit"][3]["note"] = "not fine"


def _tail_cut(made: Receipt) -> None:
    del made["audit"][-2:], made["votes"][-1]


def _into(*path: str | int, value: object) -> Forge:
    """Somebody writes this there."""
    *above, last = path

    def forge(made: Receipt) -> None:
        place: Any = made
        for part in above:
            place = place[part]
        assert place[last] != value
        place[last] = value

    forge.__name__ = ".".join(map(str, path))
    return forge


def _one_more_may_decide(made: Receipt) -> None:
    made["plan"]["stages"][1]["people"].append("user:999")


def _nobody_is_barred(made: Receipt) -> None:
    made["plan"]["barred"] = []


def _policy_and_hash(made: Receipt) -> None:
    _policy(made)
    made["policy"]["hash"] = sha256(canonical(made["policy"]["body"]))


FORGERIES: dict[Forge, str] = {
    _vote: "votes", _voter: "votes", _content: "content of round 2", _content_and_hash: "asked", _policy: "policy",
    _row_dropped: "row 2 of the audit", _vote_and_row_dropped: "row 2 of the audit", _row: "row 4 of the audit",
    _tail_cut: "seal", _policy_and_hash: "policy",
    _one_more_may_decide: "plan", _nobody_is_barred: "plan", _into("plan", "stages", 0, "number", value=7): "plan",
    _into("request", "status", value="rejected"): "how it ended",
    _into("request", "words", value="by the policy's rule"): "how it ended",
    _into("request", "title", value="Something else"): "how it ended",
    _into("request", "decided_by", value="carol"): "how it ended",
    _into("request", "decided_at", value="2026-11-25T09:30:00.000000Z"): "how it ended",
    _into("request", "requester", value="otto"): "who asked",
    _into("request", "created_at", value="2026-11-25T09:30:00.000000Z"): "who asked",
    _into("request", "facts", value={"saga": "another"}): "facts",
    _into("request", "edits", value={}): "edits",
    _into("votes", 2, "answers", value={"ticket": "CHG-2"}): "votes",
    _into("votes", 2, "stage", value="peers"): "votes",
    _into("votes", 2, "at", value="2026-11-25T09:30:00.000000Z"): "votes",
    _into("votes", 2, "name", value="carol"): "names",
    _into("policy", "version", value=7): "policy",
}  # fmt: skip


def test_the_program_of_the_docs_finds_a_receipt_genuine(decided: Request, program: Path) -> None:
    for heads in (False, True):
        done = verified(program, receipt(decided, heads=heads))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"genuine: {decided} is approved, 3 votes\n"
    lines = [line for line in program.read_text().splitlines() if line]
    assert len(lines) <= 70, "it should stay short enough to be read before it is run"


SHORT: dict[Forge, str] = {
    _vote: "the votes", _voter: "the votes", _content: "the content of round 2", _row_dropped: "row 2",
    _vote_and_row_dropped: "row 2", _row: "row 4 of the audit",
    _into("request", "status", value="rejected"): "how it ended",
    _into("request", "decided_by", value="carol"): "how it ended",
    _into("request", "decided_at", value="2026-11-25T09:30:00.000000Z"): "how it ended",
}  # fmt: skip


def test_thirty_lines_find_a_receipt_genuine(decided: Request, short_program: Path) -> None:
    done = verified(short_program, receipt(decided))
    assert (done.returncode, done.stdout) == (0, f"genuine: {decided} is approved, 3 votes\n"), done.stderr
    assert len([line for line in short_program.read_text().splitlines() if line]) <= 30


@pytest.mark.parametrize("forge", SHORT, ids=lambda forge: forge.__name__)
def test_thirty_lines_find_what_was_forged(decided: Request, short_program: Path, forge: Forge) -> None:
    made = json.loads(json.dumps(receipt(decided)))
    forge(made)
    done = verified(short_program, made)
    assert done.returncode == 1 and "InvalidSignature" in done.stderr and done.stdout == ""
    done = verified(short_program, signed_anew(made))
    assert done.returncode == 1 and SHORT[forge] in done.stderr.splitlines()[-1] and done.stdout == ""


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forged_receipt_is_found_even_with_the_sites_own_key(decided: Request, program: Path, forge: Forge) -> None:
    made = json.loads(json.dumps(receipt(decided)))
    forge(made)
    assert "the signature does not hold" in problems(made)
    done = verified(program, made)
    assert done.returncode == 1 and done.stderr == "NOT GENUINE: the signature\n" and done.stdout == ""
    made = signed_anew(made)
    assert any(FORGERIES[forge] in problem for problem in problems(made))
    done = verified(program, made)
    assert done.returncode == 1 and FORGERIES[forge] in done.stderr.removeprefix("NOT GENUINE: ")


def test_the_signature_of_another_key_is_not_ours(decided: Request, program: Path, settings: Settings) -> None:
    ours = signing_key.public_key()
    settings.ZEN_SIGNING_KEY = OTHER_SEED
    made = receipt(decided)
    theirs = signing_key.public_key()
    assert problems(made) == [] and verified(program, made, theirs).returncode == 0
    assert problems(made, key=ours) == ["the signature does not hold"]
    done = verified(program, made, ours)
    assert (done.returncode, done.stderr) == (1, "NOT GENUINE: the signature\n")


@pytest.mark.parametrize("wrong", [None, [], {}, {"kind": "zen approval receipt", "version": 1}, "text", {"kind": 1}])
def test_what_is_no_receipt_is_told_so(wrong: object) -> None:
    assert len(problems(wrong)) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: Vote.objects.filter(comment="too small").update(comment="great"), "the votes are not those"),
        (lambda: Vote.objects.filter(round=1).update(choice="approve"), "the votes are not those"),
        (lambda: tamper("UPDATE orchestration_auditevent SET note = 'x' WHERE action = 'approval.ask'"), "row 1 of"),
        (lambda: Policy.objects.update(body={"policy": "deployment", "stages": []}), "the policy is not"),
        (lambda: Request.objects.update(status="rejected"), "how it ended is not"),
        (lambda: Request.objects.update(decided_by="carol"), "how it ended is not"),
        (lambda: Request.objects.update(decided_at=now()), "how it ended is not"),
        (lambda: Request.objects.update(facts={"saga": "another"}), "the facts are not"),
        (lambda: Request.objects.update(edits={}), "the edits are not"),
        (lambda: Vote.objects.filter(comment="").update(answers={"ticket": "CHG-2"}), "the votes are not those"),
        (lambda: Vote.objects.filter(comment="").update(at=now()), "the times of the votes"),
        (lambda: people_named("erin", "carol"), "the plan or its people are not"),
        (lambda: tamper("DELETE FROM orchestration_auditevent WHERE action = 'approval.ended'"), "how it ended is not"),
    ],
)
def test_nothing_is_signed_that_the_audit_contradicts(
    decided: Request, change: Callable[[], object], said: str
) -> None:
    change()
    with pytest.raises(WrongState, match=f"there is no receipt: {said}"):
        receipt(decided)


def people_named(name: str, other: str) -> None:
    """Whoever was called so is called otherwise."""
    request = Request.objects.get()
    request.people = json.loads(json.dumps(request.people).replace(f'"{name}"', f'"{other}"'))
    request.save(update_fields=["people"])


def test_a_content_has_one_hash_before_and_after_the_database(decided: Request) -> None:
    """Numbers come back in another form from one database than from another; PostgreSQL keeps 1e300 as an integer."""
    shown = {"stage": "deployment", "description": "Deploy?", "context": CONTENT}
    assert decided.content_hash == sha256(canonical(shown)) == sha256(canonical(decided.content))
    same, created = publish_policy(data=Policy.objects.get().body, actor=ADA)
    assert not created and same.hash == sha256(canonical(same.body))


def test_a_policy_that_is_no_json_is_bad_input() -> None:
    for wrong in (float("nan"), {1, 2}, "a\x00b"):
        with pytest.raises(BadInput, match="description"):
            publish_policy(data={"policy": "p", "description": wrong, "stages": []}, actor=ADA)
    assert not Policy.objects.exists()
