"""Who may open which door: every operation of the OpenAPI document, for every role."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from approvals.models import Delegation, Request
from approvals.requests import delegate_while_away
from foundation.clock import now
from monitoring.models import Alert, AlertMember, AlertRule, Job, RecoveryAttempt, Silence
from orchestration.models import AgentEndpoint, Run
from orchestration.projects.start import start_project
from tests.approvals.scenes import asked, published
from tests.orchestration.api.test_runs import SAGA, client_of, post
from tests.orchestration.core.project.specs import given as spec
from tests.system.contract.cast import account, actor, says
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)
READS = ("viewer", "operator", "approver", "administrator")
ACTS = ("operator", "administrator")
DECIDES = ("approver", "administrator")
MANAGES = ("administrator",)
DOORS: dict[str, tuple[str, ...]] = {
    "GET /api/v1/definitions/": READS,
    "POST /api/v1/definitions/": ACTS,
    "POST /api/v1/definitions/validate/": READS,
    "POST /api/v1/definitions/preview/": READS,
    "GET /api/v1/definitions/schema/": READS,
    "GET /api/v1/definitions/{saga_id}/versions/{version}/": READS,
    "GET /api/v1/definitions/{saga_id}/versions/{version}/matrix/": READS,
    "GET /api/v1/runs/": READS,
    "POST /api/v1/runs/": ACTS,
    "GET /api/v1/runs/{workflow_id}/": READS,
    "GET /api/v1/runs/{workflow_id}/attempts/": READS,
    "GET /api/v1/runs/{workflow_id}/events/": READS,
    "GET /api/v1/runs/{workflow_id}/events/stream": READS,
    "GET /api/v1/alerts/": READS,
    "GET /api/v1/alerts/{alert_id}/": READS,
    "GET /api/v1/alerts/{alert_id}/members/": READS,
    "POST /api/v1/alerts/{alert_id}/ack/": ACTS,
    "POST /api/v1/alerts/{alert_id}/unack/": ACTS,
    "POST /api/v1/alerts/{alert_id}/resolve/": ACTS,
    "POST /api/v1/alerts/{alert_id}/act/": ACTS,
    "GET /api/v1/alert-rules/": READS,
    "GET /api/v1/alert-rules/{name}/": READS,
    "PATCH /api/v1/alert-rules/{name}/": MANAGES,
    "GET /api/v1/silences/": READS,
    "POST /api/v1/silences/": ACTS,
    "POST /api/v1/silences/{silence_id}/end/": ACTS,
    "GET /api/v1/recovery/attempts/": READS,
    "POST /api/v1/recovery/stop/": MANAGES,
    "POST /api/v1/recovery/start/": MANAGES,
    "POST /api/v1/runs/{workflow_id}/recover/": ACTS,
    "GET /api/v1/recovery/policies/": READS,
    "POST /api/v1/recovery/policies/": MANAGES,
    "GET /api/v1/recovery/policies/{policy_id}/": READS,
    "POST /api/v1/recovery/policies/{policy_id}/mode/": MANAGES,
    "POST /api/v1/recovery/dry-run/": MANAGES,
    "POST /api/v1/recovery/backtest/": MANAGES,
    "GET /api/v1/jobs/{job_id}/": READS,
    "GET /api/v1/monitoring/dashboard/": READS,
    "GET /api/v1/monitoring/norms/": READS,
    "GET /api/v1/monitoring/runs/": READS,
    "GET /api/v1/monitoring/series/": READS,
    "GET /api/v1/runs/{workflow_id}/health/": READS,
    "GET /api/v1/runs/{workflow_id}/logs/": READS,
    "GET /api/v1/runs/{workflow_id}/logs/stream": READS,
    "GET /api/v1/runs/{workflow_id}/why/": READS,
    "GET /api/v1/runs/{workflow_id}/preview/{verb}/": READS,
    "POST /api/v1/runs/{workflow_id}/{verb}/": ACTS,
    "GET /api/v1/agents/": READS,
    "POST /api/v1/agents/": MANAGES,
    "GET /api/v1/agents/{name}/": READS,
    "POST /api/v1/agents/{name}/check/": ACTS,
    "POST /api/v1/agents/{name}/enable/": ACTS,
    "POST /api/v1/agents/{name}/disable/": ACTS,
    "POST /api/v1/agents/{name}/remove/": MANAGES,
    "GET /api/v1/projects/": READS,
    "POST /api/v1/projects/": ACTS,
    "POST /api/v1/projects/validate/": READS,
    "GET /api/v1/projects/{workflow_id}/": READS,
    "GET /api/v1/projects/{workflow_id}/plan/": READS,
    "GET /api/v1/projects/{workflow_id}/tasks/": READS,
    "GET /api/v1/projects/{workflow_id}/requirements/": READS,
    "GET /api/v1/projects/{workflow_id}/evidence/": READS,
    "GET /api/v1/projects/{workflow_id}/costs/": READS,
    "GET /api/v1/projects/{workflow_id}/output/": READS,
    "GET /api/v1/approvals/": READS,
    "POST /api/v1/approvals/": ACTS,
    "GET /api/v1/approvals/{request_id}/": READS,
    "POST /api/v1/approvals/{request_id}/decide/": DECIDES,
    "POST /api/v1/approvals/{request_id}/remarks/": READS,
    "POST /api/v1/approvals/{request_id}/remind/": ACTS,  # and whoever asked
    "POST /api/v1/approvals/{request_id}/withdraw/": MANAGES,  # and whoever asked
    "POST /api/v1/approvals/{request_id}/resubmit/": MANAGES,  # and whoever asked
    "POST /api/v1/approvals/{request_id}/revoke/": MANAGES,  # and whoever said yes
    "POST /api/v1/approvals/{request_id}/reassign/": MANAGES,  # and whoever has the seat
    "POST /api/v1/approvals/{request_id}/name-people/": MANAGES,
    "GET /api/v1/policies/": READS,
    "POST /api/v1/policies/": MANAGES,
    "GET /api/v1/policies/{name}/": READS,
    "GET /api/v1/delegations/": READS,
    "POST /api/v1/delegations/": READS,  # for oneself
    "POST /api/v1/delegations/{delegation_id}/end/": MANAGES,  # and whose it is
}
POLICY = {"policy": "p", "stages": [{"name": "s", "who": {"users": ["bob"]}}]}
BODIES: dict[str, Any] = {
    "definitions": SAGA,
    "validate": SAGA,
    "preview": SAGA,
    "runs": {"definition": SAGA},
    "approvals": {"stage": "s", "description": "?", "engine": "celery", "approvers": ["bob"]},
    "decide": {"decision": "approve"},
    "remarks": {"kind": "comment", "text": "hm"},
    "reassign": {"to": "carol", "person": "bob"},
    "name-people": {"users": ["carol"]},
    "policies": POLICY,
    "agents": {"name": "two", "agent_type": "CLAUDE", "driver": "scripted"},
    "resolve": {"note": "done"},
    "act": {"verb": "hold", "preview": False},
    "recover": {"reason": "stuck", "action": "notify"},
    "silences": {"matchers": {"rule": "run_failed"}, "reason": "known"},
    "mode": {"mode": "shadow"},
    "dry-run": {"policy_id": "lost"},
    "backtest": {"policy_id": "lost", "days": 3},
    "delegations": {"to": "carol", "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2999-01-01T00:00:00Z"},
}
RECOVERY = {
    "policy_id": "p", "name": "p", "workflow_types": ["saga"], "conditions": {"attempts": {">": 3}},
    "recovery_actions": ["retry"],
}  # fmt: skip


def test_the_table_of_doors_is_whole() -> None:
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods} == set(
        DOORS
    )


QUERIES = {"/api/v1/monitoring/series/": "?name=zen_runs_open"}
"""What a door has to be asked at least."""


@pytest.mark.parametrize("door", DOORS)
def test_each_door_opens_for_its_roles_only(door: str) -> None:
    clients = {"": Client(), **{role: client_of(role) for role in ("nobody", *READS)}}
    post(clients["operator"], "runs/", {"definition": SAGA, "workflow_id": "o-1", "engine": "celery"})
    for name in ("bob", "carol"):
        account(name)
    published(POLICY)
    method, path = door.split()
    body = BODIES.get(path.rstrip("/").rpartition("/")[2], {})
    for role, client in clients.items():
        given = _given(path, role)
        where = path.format(**given) + QUERIES.get(path, "")
        if path.endswith("/recovery/policies/"):
            body = RECOVERY
        if path.endswith(("/projects/", "/projects/validate/")):
            body = {"project_spec": spec()}
        if path.endswith("/alert-rules/{name}/"):
            body = {"for_s": 5}
        if path.endswith("/silences/"):
            body = body | {"ends_at": (now() + timedelta(hours=1)).isoformat()}
        if path.endswith("/decide/"):
            body = body | {"seen": Request.objects.get(request_id=given["request_id"]).shown_hash}
        ask = {"POST": client.post, "PATCH": client.patch}.get(method)
        answer = ask(where, body, content_type="application/json") if ask else client.get(where)
        allowed = role in DOORS[door]
        wanted = (200, 201, 202) if allowed else (403,) if role else (401,)
        assert answer.status_code in wanted, (role, answer.status_code, getattr(answer, "content", b""))


def _given(path: str, role: str) -> dict[str, str]:
    """What the path names, in a state in which the role is all that can be in the way."""
    verb = "release" if role == "administrator" and "preview" not in path else "hold"  # an operator has held it before
    given = {"saga_id": "order", "version": "1", "workflow_id": "o-1", "verb": verb, "name": "p", "policy_id": "lost"}
    if "{request_id}" in path:
        given["request_id"] = _request(path, role)
    if "{alert_id}" in path:
        given["alert_id"] = str(_alert().pk)
        about = {"run_id": Run.objects.get(workflow_id="o-1").pk, "code": "x", "joined_at": now()}
        AlertMember.objects.create(
            alert_id=given["alert_id"], **about, left_at=None if path.endswith("/act/") else now()
        )
    if path.endswith("/recover/"):
        RecoveryAttempt.objects.all().delete()  # people are told of a run once a minute
    if "/agents/" in path:
        given["name"] = "one"
        row = {"agent_type": "CLAUDE", "driver": "scripted", "created_at": now()}
        AgentEndpoint.objects.get_or_create(name="one", defaults=row)
    if "/projects/" in path:
        given["workflow_id"] = _project()
    if "/alert-rules/" in path:
        given["name"] = "run_failed"
    if "{silence_id}" in path:
        given["silence_id"] = str(_silence().pk)
    if "{job_id}" in path:
        given["job_id"] = str(Job.objects.create(kind="dry", body={}, actor="ada", created_at=now()).pk)
    if "{delegation_id}" in path:
        given["delegation_id"] = str(_delegation().pk)
    return given


def _project() -> str:
    row = {"agent_type": "CLAUDE", "driver": "scripted", "created_at": now()}
    AgentEndpoint.objects.get_or_create(name="one", defaults=row)
    return start_project(spec=spec(), actor=ADA, engine="celery")[0].workflow_id


def _alert() -> Alert:
    rule, _ = AlertRule.objects.get_or_create(name="run_failed", defaults={"severity": "warning"})
    Alert.objects.filter(state="firing").update(state="resolved")
    at = {"opened_at": now(), "last_seen_at": now()}
    return Alert.objects.create(
        rule=rule, fingerprint="f", severity="warning", title="t", sentence="s", members=1, **at
    )


def _silence() -> Silence:
    at = {"starts_at": now(), "ends_at": now() + timedelta(hours=1)}
    return Silence.objects.create(matchers={"rule": "x"}, reason="x", by="ada", **at)


def _request(path: str, role: str) -> str:
    """Ada asks, and bob decides; beside him whoever of the role may."""
    seats = ("bob", f"{role}1") if role in DECIDES else ("bob",)
    found = asked("s", request_id=f"a-{role}", description="?", approvers=seats)
    if path.endswith("/resubmit/"):
        says("bob", "request-changes", found)
    if path.endswith("/revoke/"):
        says("bob", "approve", found)
    return found.request_id


def _delegation() -> Delegation:
    """Bob's."""
    bob, carol = account("bob"), account("carol")
    until = now() + timedelta(days=1)
    return delegate_while_away(actor=actor(bob), owner=bob, to=carol, starts_at=now(), ends_at=until)
