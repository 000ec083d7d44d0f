from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from orchestration.models import ApiToken, AuditEvent

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


def test_definitions_are_published_once() -> None:
    client = client_of("operator")
    assert [post(client, "definitions/", SAGA).status_code for _ in range(2)] == [201, 200]
    assert client.get("/api/v1/definitions/order/versions/1/").json()["body"]["saga_id"] == "order"
    assert client.get("/api/v1/definitions/").json()["results"]
    assert client.get("/api/v1/definitions/schema/").status_code == 200
    assert post(client, "definitions/validate/", SAGA).status_code == 200


def test_the_openapi_document_is_served() -> None:
    assert client_of("viewer").get("/api/v1/schema/").status_code == 200
