from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import resolve
from pytest_django import Settings

from foundation.clock import now
from foundation.models import ApiToken, AuditEvent
from orchestration.api import views_definitions
from orchestration.models import Command, Message, Run
from tests.system.contract.cast import account

pytestmark = pytest.mark.django_db(transaction=True)
SAGA = {
    "saga_id": "order",
    "steps": [
        {"step_id": "first", "forward_action": {"type": "wait", "seconds": 60}},
        {"step_id": "second", "dependencies": ["first"], "forward_action": {"type": "wait", "seconds": 60}},
    ],
}


def client_of(role: str) -> Client:
    user = User.objects.create_user(f"{role}1")
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    return Client(headers={"Authorization": f"Bearer {ApiToken.issue(user)[1]}"})


def post(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers or None)


def test_a_run_is_started_once_and_acted_on() -> None:
    client = client_of("operator")
    body = {"definition": SAGA, "workflow_id": "o-1", "engine": "celery"}
    first, again = post(client, "runs/", body), post(client, "runs/", body)
    assert (first.status_code, again.status_code) == (201, 200), first.content
    assert first["Location"].endswith("/api/v1/runs/o-1/")
    assert client.get("/api/v1/runs/?workflow_id=o-&status=pending&status=running&status=waiting").json()["results"]
    assert client.get("/api/v1/runs/o-1/why/").json()["lines"]
    assert client.get("/api/v1/runs/o-1/preview/abort/").json()["lines"][0] == "nothing to undo"
    for _ in range(2):
        assert post(client, "runs/o-1/hold/", {"note": "wait"}, **{"Idempotency-Key": "k"}).status_code == 200
    another = post(client, "runs/o-1/hold/", {"note": "wait longer"}, **{"Idempotency-Key": "k"})
    assert another.status_code == 422 and another.json()["field"] == "Idempotency-Key", another.content
    assert "note is not the same" in another.json()["detail"]
    assert AuditEvent.objects.filter(action="run.hold", actor="operator1", door="api").count() == 1
    assert post(client, "runs/o-1/hold/", {}).status_code == 409
    assert client.get("/api/v1/runs/o-1/events/?after=0").status_code == 200


def test_errors_are_problem_details() -> None:
    client, viewer = client_of("operator"), client_of("viewer")
    anonymous = Client().get("/api/v1/runs/")
    assert anonymous.status_code == 401
    assert anonymous["WWW-Authenticate"].startswith("Bearer")
    assert anonymous["Content-Type"] == "application/problem+json"
    assert client.get("/api/v1/runs/none/").status_code == 404
    assert post(viewer, "runs/", {"definition": SAGA}).status_code == 403
    assert post(client, "runs/", "{").status_code == 400
    assert post(client, "runs/", {"definition": {"saga_id": "a\x00"}}).status_code == 422
    wrong = post(client, "definitions/", {"saga_id": "x"})
    assert wrong.status_code == 422
    assert wrong.json()["problems"]


def test_a_fault_of_ours_is_problem_details_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the house")

    client = client_of("operator")
    client.raise_request_exception = False
    monkeypatch.setattr(views_definitions, "check_definition", broken)
    answer = post(client, "definitions/validate/", SAGA)
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["instance"] == "/api/v1/definitions/validate/" and b"secret" not in answer.content


def test_definitions_are_published_once() -> None:
    client = client_of("operator")
    assert [post(client, "definitions/", SAGA).status_code for _ in range(2)] == [201, 200]
    assert client.get("/api/v1/definitions/order/versions/1/").json()["body"]["saga_id"] == "order"
    assert client.get("/api/v1/definitions/").json()["results"]
    assert client.get("/api/v1/definitions/schema/").status_code == 200
    assert post(client, "definitions/validate/", SAGA).status_code == 200


def test_the_openapi_document_is_served() -> None:
    assert client_of("viewer").get("/api/v1/schema/").status_code == 200


def test_a_restart_asked_for_twice_is_one() -> None:
    client = client_of("administrator")
    post(client, "runs/", {"definition": SAGA, "workflow_id": "o-1", "engine": "celery"})
    assert post(client, "runs/o-1/restart/", {}).status_code == 409
    assert post(client, "runs/o-1/force-stop/", {"note": "over"}).status_code == 200
    again = [post(client, "runs/o-1/restart/", {}, **{"Idempotency-Key": key}) for key in ("k", "k", "other")]
    assert [answer.status_code for answer in again] == [200] * 3, again[0].content
    ids = [answer.json()["workflow_id"] for answer in again]
    assert ids[0] == ids[1] != ids[2] and ids[0].startswith("o-1~")
    assert Run.objects.count() == 3


def test_an_engine_that_is_away_is_said_with_a_time_to_come_back(settings: Settings) -> None:
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    answer = post(client_of("operator"), "runs/", {"definition": SAGA, "engine": "temporal"})
    assert answer.status_code == 503 and int(answer["Retry-After"]) > 0
    assert answer["Content-Type"] == "application/problem+json" and not Run.objects.exists()


def test_a_token_that_has_expired_opens_nothing() -> None:
    client = client_of("operator")
    ApiToken.objects.update(expires_at=now() - timedelta(seconds=1))
    answer = client.get("/api/v1/runs/")
    assert answer.status_code == 401 and "expired" in answer.json()["detail"]


def test_the_failure_matrix_of_a_definition_is_served() -> None:
    client = client_of("operator")
    act = {"type": "api_call", "url": "http://x.test/"}
    saga = {
        "saga_id": "order",
        "steps": [
            {"step_id": "a", "forward_action": act, "compensation_action": act},
            {"step_id": "b", "dependencies": ["a"], "forward_action": act},
        ],
    }
    drafted = post(client, "definitions/preview/", saga)
    assert drafted.status_code == 200, drafted.content
    assert post(client, "definitions/", saga).status_code == 201
    assert client.get("/api/v1/definitions/order/versions/1/matrix/").json() == drafted.json()
    fails = next(row for row in drafted.json()["rows"] if row["step_id"] == "b" and row["mishap"] == "fails")
    assert fails["status"] == "rolled_back" and fails["undone"] == [["a"]]
    long = {**saga, "steps": [{"step_id": f"s{n}", "forward_action": act} for n in range(101)]}
    partly = post(client, "definitions/preview/", long).json()
    shown = list(dict.fromkeys(row["step_id"] for row in partly["rows"]))
    assert shown and partly["left_out"] and shown + partly["left_out"] == [f"s{n}" for n in range(101)]
    assert drafted.json()["left_out"] == []


def test_pages_follow_each_other_and_a_limit_has_bounds() -> None:
    client = client_of("operator")
    for n in range(5):
        post(client, "runs/", {"definition": SAGA, "workflow_id": f"p-{n}", "engine": "celery"})
    seen, where = [], "/api/v1/runs/?limit=2&saga_id=order"
    while where:
        page = client.get(where).json()
        seen += [row["workflow_id"] for row in page["results"]]
        where = page["next"]
    assert seen == [f"p-{n}" for n in (4, 3, 2, 1, 0)]
    assert client.get("/api/v1/runs/?saga_id=other").json()["results"] == []
    assert [client.get(f"/api/v1/runs/?limit={n}").status_code for n in ("0", "201", "x")] == [422] * 3


def test_a_key_that_nobody_knows_is_refused() -> None:
    answer = post(client_of("operator"), "runs/", {"definition": SAGA, "contxt": {}})
    assert answer.status_code == 422 and answer.json()["field"] == "contxt" and "context" in answer.json()["detail"]
    assert not Run.objects.exists()


def test_the_guide_names_doors_that_exist() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "reference" / "api.md").read_text()
    addresses = re.findall(r'"\$ZEN(/[^"?]*)', guide)
    assert len(addresses) > 10
    for address in addresses:
        assert resolve(f"/api/v1{address}").url_name, address


def test_runs_are_listed_by_their_kind() -> None:
    client = client_of("administrator")
    account("bob")
    assert post(client, "runs/", {"definition": SAGA, "workflow_id": "s-1", "engine": "celery"}).status_code == 201
    ask = {"stage": "deployment", "request_id": "a-1", "engine": "celery", "approvers": ["bob"]}
    assert post(client, "approvals/", ask).status_code == 201

    def listed(query: str) -> list[str]:
        return [row["workflow_id"] for row in client.get(f"/api/v1/runs/{query}").json()["results"]]

    assert (listed(""), listed("?kind=saga"), listed("?kind=approval")) == (["a-1", "s-1"], ["s-1"], ["a-1"])
    wrong = client.get("/api/v1/runs/?kind=sago")
    assert wrong.status_code == 422 and "one of: saga, multi_agent_project, approval" in wrong.content.decode()
    page = Client()
    User.objects.filter(username="administrator1").update(is_staff=True)
    page.force_login(User.objects.get(username="administrator1"))
    queries = {"": {"s-1"}, "?kind=approval": {"a-1"}, "?kind=all": {"s-1", "a-1"}, "?q=a-1": {"a-1"}}
    for query, shown in queries.items():
        text = page.get(f"/admin/orchestration/run/{query}").content.decode()
        assert {handle for handle in ("s-1", "a-1") if f">{handle}<" in re.sub(r"\s+", "", text)} == shown, query


def test_a_key_that_was_used_for_another_step_or_another_alternative_is_refused() -> None:
    """The same key and verb, and another step: answered 200, the second would never be done."""
    client = client_of("operator")
    steps = [{"step_id": name, "forward_action": {"type": "wait", "seconds": 60}} for name in ("a", "b")]
    post(client, "runs/", {"definition": {"saga_id": "two", "steps": steps}, "workflow_id": "o-2", "engine": "celery"})
    run = Run.objects.get(workflow_id="o-2")
    event = {"kind": "resolve_requested", "at": "2026-11-27T00:00:00Z", "answer": "alternative", "note": "n",
             "step_id": "a", "run_alternative": True, "by": "operator1"}  # fmt: skip
    first = {"type": "api_call", "url": "https://a.example.com/one"}
    body = {"step_id": "a", "answer": "alternative", "note": "n", "action": first}
    key = hashlib.sha256(b"operator1\no-2\nresolve\nk").hexdigest()
    Message.objects.create(run=run, message_id=key, event=event, created_at=run.created_at)
    Command.objects.create(
        run=run, kind="alternative", step_id="a", purpose="undo", attempt=0, due_at=run.created_at, status=Command.DONE,
        undo_action=first, detail={"message_id": key},
    )  # fmt: skip
    answers = [
        post(client, "runs/o-2/resolve/", body | more, **{"Idempotency-Key": "k"}).status_code
        for more in ({}, {"step_id": "b"}, {"action": first | {"url": "https://a.example.com/two"}})
    ]
    assert answers == [200, 422, 422]
