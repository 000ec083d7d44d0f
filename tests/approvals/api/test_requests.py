"""Approvals through the API: asked, decided, refused, by role and by token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from approvals.models import Request, Vote
from approvals.requests import publish_policy
from foundation.clock import now
from foundation.errors import BadInput
from foundation.models import ApiToken, AuditEvent
from orchestration.models import Run
from tests.orchestration.api.test_runs import post
from tests.system.contract.cast import account
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


def client_for(user: Any, **token: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {ApiToken.issue(user, **token)[1]}"})


@pytest.fixture
def ada() -> Client:
    """Who asks."""
    return client_for(account("ada", "operator"))


@pytest.fixture
def bob() -> Client:
    return client_for(account("bob"))


def yes(handle: str = "a-1", **more: Any) -> dict[str, Any]:
    """To what it shows now."""
    return {"decision": "approve", "seen": Request.objects.get(request_id=handle).shown_hash, **more}


def ask(client: Client, **more: Any) -> Any:
    body = {"stage": "deployment", "description": "Deploy 1.2", "request_id": "a-1", "engine": "celery", **more}
    return post(client, "approvals/", body)


def test_a_request_is_opened_once_and_decided_once(ada: Client, bob: Client) -> None:
    first, again = ask(ada), ask(ada)
    assert (first.status_code, again.status_code) == (201, 200), first.content
    assert first["Location"].endswith("/api/v1/approvals/a-1/")
    assert ask(ada, description="Deploy 1.3").status_code == 422
    mine = bob.get("/api/v1/approvals/?mine=true").json()["results"]
    assert [row["request_id"] for row in mine] == ["a-1"]
    shown = bob.get("/api/v1/approvals/a-1/").json()
    decision = {"decision": "approve", "comment": "fine", "seen": shown["content_hash"]}
    for _ in range(2):  # a double click is heard once
        answer = post(bob, "approvals/a-1/decide/", decision)
        assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert Vote.objects.get().strength == "token" and AuditEvent.objects.filter(action="approval.approve").count() == 1
    assert bob.get("/api/v1/approvals/?mine=true").json()["results"] == []


def test_what_waits_for_me_comes_page_by_page_the_most_urgent_first(ada: Client, bob: Client) -> None:
    for_ever = {"policy": "patient", "stages": [{"name": "one", "who": {"users": ["bob"]}, "expire": None}]}
    for_ever["stages"][0]["at_the_end"] = "hold"  # type: ignore[index]
    publish_policy(data=for_ever, actor=ADA)
    for handle, more in (
        ("never", {"policy": "patient"}), ("late", {"timeout_seconds": 9000}), ("soon", {"timeout_seconds": 60}),
        ("later", {"timeout_seconds": 9001}), ("never-2", {"policy": "patient"}),
    ):  # fmt: skip
        assert ask(ada, request_id=handle, **more).status_code == 201
    seen, where = [], "/api/v1/approvals/?mine=true&limit=2"
    while where:
        page = bob.get(where).json()
        seen += [row["request_id"] for row in page["results"]]
        where = page["next"]
    assert seen == ["soon", "late", "later", "never", "never-2"]


def test_a_form_is_shown_and_answered(ada: Client, bob: Client) -> None:
    form = [{"name": "wave", "label": "Which wave?", "type": "integer"}]
    stages = [{"name": "one", "who": {"users": ["bob"]}, "form": form}]
    publish_policy(data={"policy": "f", "stages": stages}, actor=ADA)
    ask(ada, policy="f")
    (field,) = bob.get("/api/v1/approvals/a-1/").json()["form"]
    assert (field["name"], field["label"], field["type"], field["on"]) == (
        "wave",
        "Which wave?",
        "integer",
        ["approve"],
    )
    refused = post(bob, "approvals/a-1/decide/", yes(answers={"wave": "soon"}))
    assert refused.status_code == 422 and "answers.wave" in str(refused.json())
    assert "a whole number" in str(refused.json()) and not Vote.objects.exists()
    answer = post(bob, "approvals/a-1/decide/", yes(answers={"wave": 3}))
    assert answer.status_code == 200 and answer.json()["votes"][0]["answers"] == {"wave": 3}


def test_who_was_second_is_told_who_was_first(ada: Client, bob: Client) -> None:
    carol = client_for(account("carol"))
    ask(ada)
    post(bob, "approvals/a-1/decide/", {"decision": "reject", "comment": "not today"})
    refused = post(carol, "approvals/a-1/decide/", yes())
    assert refused.status_code == 409 and "rejected already by bob, since" in refused.json()["detail"]


def test_a_late_decision_is_gone(ada: Client, bob: Client) -> None:
    ask(ada, timeout_seconds=60)
    request = Request.objects.get()
    long_ago = (now() - timedelta(minutes=2)).isoformat()
    Request.objects.filter(pk=request.pk).update(state=request.state | {"opened_at": long_ago, "clock_from": long_ago})
    answer = post(bob, "approvals/a-1/decide/", yes())
    assert answer.status_code == 410, answer.content
    assert "it was over at" in answer.json()["detail"]


def test_what_was_shown_must_be_what_is_asked(ada: Client, bob: Client) -> None:
    ask(ada)
    answer = post(bob, "approvals/a-1/decide/", {"decision": "approve", "seen": "0" * 64})
    assert answer.status_code == 409 and not Vote.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"stage": ""}, "stage"),
        ({"policy": "none"}, "policy"),
        ({"approvers": ["nobody"]}, "approvers"),
        ({"approvers": ["group:none"]}, "approvers"),
        ({"approvers": ["ada"]}, "approvers"),
        ({"approvers": ["bob"], "how_many": "most"}, "how_many"),
        ({"approvers": ["bob"], "how_many": 5}, "how_many"),
        ({"callback_url": "ftp://example.org"}, "callback_url"),
        ({"descripton": "x"}, "descripton"),
        ({"request_id": "a b"}, "request_id"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
    ],
)
def test_bad_questions_name_the_field(ada: Client, bob: Client, body: dict[str, Any], field: str) -> None:
    answer = ask(ada, **body)
    assert answer.status_code == 422, answer.content
    assert answer.json()["field"] == field and not Request.objects.exists()


def test_a_no_needs_a_reason(ada: Client, bob: Client) -> None:
    ask(ada)
    answer = post(bob, "approvals/a-1/decide/", {"decision": "reject", "comment": " "})
    assert (answer.status_code, answer.json()["field"]) == (422, "comment")


ACTS: dict[str, tuple[str, dict[str, Any]]] = {
    "ask": ("approvals/", {"stage": "s", "description": "?", "engine": "celery"}),
    "read": ("", {}),
    "approve": ("approvals/a-1/decide/", {"decision": "approve"}),
    "remind": ("approvals/a-1/remind/", {}),
    "withdraw": ("approvals/a-1/withdraw/", {}),
    "reassign": ("approvals/a-1/reassign/", {"to": "carol", "person": "bob"}),
    "name": ("approvals/a-1/name-people/", {"users": ["carol"]}),
    "publish": ("policies/", {"policy": "p", "stages": [{"name": "s", "who": {"users": ["bob"]}}]}),
}
ALLOWED = {
    "viewer": {"read"},
    "operator": {"ask", "read", "remind"},
    "approver": {"read", "approve"},
    "administrator": {"ask", "read", "approve", "remind", "withdraw", "reassign", "name", "publish"},
    "none": set(),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ALLOWED)
def test_who_may_do_what(ada: Client, bob: Client, role: str, act: str) -> None:
    account("carol")
    user = User.objects.create_user("eve") if role == "none" else account("eve", role)
    ask(ada, approvers=["bob", *(["eve"] if role in ("approver", "administrator") else [])])
    client, (path, body) = client_for(user), ACTS[act]
    body = yes() if act == "approve" else body
    answer = post(client, path, body) if path else client.get("/api/v1/approvals/a-1/")
    if act in ALLOWED[role]:
        assert answer.status_code in (200, 201), answer.content
    else:
        assert answer.status_code == 403, answer.content
        assert Request.objects.filter(status="pending").count() == 1 and not Vote.objects.exists()


def test_a_second_reminder_too_soon_says_when_it_is_time(ada: Client, bob: Client) -> None:
    ask(ada)
    assert post(ada, "approvals/a-1/remind/", {"note": "today, please"}).status_code == 200
    answer = post(ada, "approvals/a-1/remind/", {})
    assert (answer.status_code, answer.json()["status"], answer.json()["field"]) == (429, 429, "verb"), answer.content
    assert answer["Content-Type"] == "application/problem+json" and 590 < int(answer["Retry-After"]) <= 600
    assert AuditEvent.objects.filter(action="approval.remind").count() == 1
    post(bob, "approvals/a-1/decide/", yes())
    assert post(ada, "approvals/a-1/remind/", {}).status_code == 409


def test_whoever_asked_cannot_decide(bob: Client) -> None:
    boss = client_for(account("boss", "administrator"))
    assert ask(boss, approvers=["bob", "boss"]).status_code == 201
    answer = post(boss, "approvals/a-1/decide/", yes())
    assert answer.status_code == 403 and "the requester" in answer.json()["detail"]


def test_a_token_is_good_for_its_scopes_only(ada: Client) -> None:
    user = account("bob")
    ask(ada)
    reader = client_for(user, scopes=["view"])
    assert reader.get("/api/v1/approvals/a-1/").status_code == 200
    assert post(reader, "approvals/a-1/decide/", yes()).status_code == 403
    assert post(client_for(user, scopes=["view", "approval.decide"]), "approvals/a-1/decide/", yes())
    assert Request.objects.get().status == "approved"


def test_what_belongs_to_a_person_needs_a_scope_as_well(ada: Client) -> None:
    bob, carol = account("bob"), account("carol")
    ask(ada)
    reader, writer = client_for(bob, scopes=["view"]), client_for(bob, agent=True)
    now_and_then = {"starts_at": now().isoformat(), "ends_at": (now() + timedelta(days=2)).isoformat()}
    for client in (reader, writer):
        assert post(client, "approvals/a-1/reassign/", {"to": "carol"}).status_code == 403
        assert post(client, "approvals/a-1/revoke/", {}).status_code == 403
        refused = post(client, "delegations/", {"to": "carol", **now_and_then})
        assert refused.status_code == 403 and "this token may not decide" in refused.json()["detail"]
    mine = account("ada", "operator")
    for verb, body in (("withdraw", {}), ("resubmit", {"description": "x"}), ("remind", {}),
                       ("remarks", {"kind": "comment", "text": "x"})):  # fmt: skip
        assert post(client_for(mine, scopes=["view"]), f"approvals/a-1/{verb}/", body).status_code == 403, verb
    assert post(client_for(mine, agent=True), "approvals/a-1/withdraw/", {}).status_code == 200
    assert post(client_for(carol), "delegations/", {"to": "bob", **now_and_then}).status_code == 201


def test_the_owner_of_an_agent_decides_nothing_that_it_asks_for() -> None:
    robot, oli = account("robot", "operator"), account("oli")
    client = client_for(robot, agent=True, owner=oli)
    refused = ask(client, approvers=["oli"])
    assert refused.status_code == 422, "nobody would be left"
    assert ask(client, approvers=["oli", "bob"] if account("bob") else []).status_code == 201
    answer = post(client_for(oli), "approvals/a-1/decide/", yes())
    assert answer.status_code == 403 and "owner of the agent" in answer.json()["detail"]
    gate = {"step_id": "gate", "forward_action": {"type": "approval", "approvers": ["oli", "bob"]}}
    saga = {"saga_id": "s", "steps": [gate]}
    started = post(client, "runs/", {"definition": saga, "workflow_id": "r-1", "engine": "celery"})
    assert started.status_code == 201 and Run.objects.get(workflow_id="r-1").created_for == "oli"
    with pytest.raises(BadInput, match="only an agent has an owner"):
        ApiToken.issue(robot, owner=oli)


def test_whoever_asks_names_no_address_that_belongs_to_nobody(ada: Client, settings: Settings) -> None:
    refused = ask(ada, approvers=["mine@example.com"])
    assert refused.status_code == 422 and "'mine@example.com' belongs to no account" in refused.json()["detail"]
    account("bob")
    assert ask(ada, request_id="a-2", approvers=["bob@example.com"]).status_code == 201
    policy = {"policy": "outside", "stages": [{"name": "one", "who": {"emails": ["eve@example.com"]}}]}
    publish_policy(data=policy, actor=ADA)
    assert ask(ada, request_id="a-3", policy="outside").status_code == 201
    settings.ZEN_APPROVERS_BY_ADDRESS = True
    assert ask(ada, approvers=["mine@example.com"]).status_code == 201


def test_an_agent_never_decides(ada: Client) -> None:
    user = account("bob")
    ask(ada)
    with pytest.raises(BadInput, match="an agent cannot decide"):
        ApiToken.issue(user, scopes=["approval.decide"], agent=True)
    row, secret = ApiToken.issue(user, agent=True)
    ApiToken.objects.filter(pk=row.pk).update(scopes=["view", "approval.decide"])  # whatever the row says
    answer = post(Client(headers={"Authorization": f"Bearer {secret}"}), "approvals/a-1/decide/", yes())
    assert answer.status_code == 403 and Request.objects.get().status == "pending"


def test_delegations_are_made_used_and_ended(ada: Client, bob: Client) -> None:
    carol = client_for(account("carol"))
    ask(ada, approvers=["bob"])
    assert post(carol, "approvals/a-1/decide/", yes()).status_code == 403
    while_away = {"to": "carol", "starts_at": now().isoformat(), "ends_at": (now() + timedelta(days=2)).isoformat()}
    made = post(bob, "delegations/", while_away)
    assert made.status_code == 201, made.content
    assert [row["request_id"] for row in carol.get("/api/v1/approvals/?mine=true").json()["results"]] == ["a-1"]
    answer = post(carol, "approvals/a-1/decide/", yes()).json()
    assert answer["status"] == "approved" and answer["votes"][0]["on_behalf_of"] == "bob"
    ended = post(bob, f"delegations/{made.json()['id']}/end/", {})
    assert ended.status_code == 200 and ended.json()["ended_at"]
    assert post(carol, f"delegations/{made.json()['id']}/end/", {}).status_code == 403


def test_a_delegation_for_a_policy_that_is_not_there_is_refused(bob: Client) -> None:
    account("carol")
    while_away = {"to": "carol", "starts_at": now().isoformat(), "ends_at": (now() + timedelta(days=2)).isoformat()}
    answer = post(bob, "delegations/", {**while_away, "policies": ["standart"]})
    problem = answer.json()
    assert (answer.status_code, problem["field"], problem["remedy"]) == (422, "policies", "did you mean 'standard'?")
    assert problem["problems"][0]["value"] == "'standart'" and bob.get("/api/v1/delegations/").json()["results"] == []


def test_policies_are_published_in_versions() -> None:
    boss = client_for(account("boss", "administrator"))
    body = {"policy": "p", "stages": [{"name": "s", "who": {"groups": ["approver"]}}]}
    assert [post(boss, "policies/", body).status_code for _ in range(2)] == [201, 200]
    assert post(boss, "policies/", {**body, "cooling_off": "10m"}).json()["version"] == 2
    assert boss.get("/api/v1/policies/p/?version=1").json()["body"] == body
    assert boss.get("/api/v1/policies/q/").status_code == 404
    wrong = post(boss, "policies/", {**body, "stages": [{"name": "s", "who": {}, "how_mny": 2}]})
    assert wrong.status_code == 422 and {p["field"] for p in wrong.json()["problems"]} == {
        "stages[0].who", "stages[0].how_mny",
    }  # fmt: skip


def test_a_rule_of_the_policy_approves(bob: Client) -> None:
    boss = client_for(account("boss", "administrator"))
    stages = [{"name": "s", "who": {"users": ["bob"]}}]
    body = {"policy": "deployment", "stages": stages, "auto_approve": "request.context.risk == 'low'"}
    assert post(boss, "policies/", body).status_code == 201
    assert ask(boss, context={"risk": "low"}).json()["status"] == "approved"
    assert ask(boss, context={"risk": "high"}, request_id="a-2").json()["status"] == "pending"
    assert post(boss, "policies/", {**body, "auto_approve": "1 +"}).status_code == 422


def test_questions_and_answers(ada: Client, bob: Client) -> None:
    ask(ada)
    assert post(bob, "approvals/a-1/remarks/", {"kind": "question", "text": "When?"}).status_code == 200
    answer = post(ada, "approvals/a-1/remarks/", {"kind": "answer", "text": "At noon."}).json()
    assert [one["text"] for one in answer["remarks"]] == ["When?", "At noon."]


def test_changes_are_asked_for_and_a_yes_is_taken_back(ada: Client, bob: Client) -> None:
    ask(ada)
    assert post(bob, "approvals/a-1/decide/", {"decision": "request-changes"}).json()["status"] == "changes_requested"
    assert post(bob, "approvals/a-1/resubmit/", {}).status_code == 403
    again = post(ada, "approvals/a-1/resubmit/", {"description": "Deploy 1.2.1"}).json()
    assert (again["status"], again["round"]) == ("pending", 2) and "+Deploy 1.2.1" in again["changes"]
    assert post(bob, "approvals/a-1/decide/", yes()).json()["status"] == "approved"
    ask(ada, request_id="a-2")
    post(bob, "approvals/a-2/decide/", yes("a-2"))
    assert post(bob, "approvals/a-2/revoke/", {"note": "wrong one"}).json()["status"] == "withdrawn"
    assert post(bob, "approvals/a-2/revoke/", {}).status_code == 409


def test_silence_cannot_be_had_sooner(bob: Client) -> None:
    """Where nobody answering is a yes, whoever asks cannot shorten the time to answer."""
    boss = client_for(account("boss", "administrator"))
    stage = {"name": "s", "who": {"users": ["bob"]}, "expire": "1d", "at_the_end": "approve"}
    assert post(boss, "policies/", {"policy": "deployment", "stages": [stage]}).status_code == 201
    shown = ask(boss, timeout_seconds=1).json()
    assert shown["expires_at"] > (now() + timedelta(hours=23)).isoformat()
