"""A query parameter that the document does not name is refused by every operation, and nothing is done."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from foundation.models import AuditEvent
from tests.orchestration.api.test_runs import SAGA, client_of, post

pytestmark = pytest.mark.django_db(transaction=True)
DOCUMENT: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
OPERATIONS = [(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods]
PARTS = {
    "saga_id": "order", "version": "1", "workflow_id": "o-1", "verb": "hold", "request_id": "a-1", "name": "p",
    "delegation_id": "1", "alert_id": "1", "silence_id": "1", "policy_id": "lost", "job_id": "1",
}  # fmt: skip


def asked(client: Client, method: str, where: str) -> Any:
    return client.post(where, {}, content_type="application/json") if method == "post" else client.get(where)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_parameter_that_nobody_knows_is_refused(method: str, path: str) -> None:
    client = client_of("administrator")
    post(client, "runs/", {"definition": SAGA, "workflow_id": "o-1", "engine": "celery"})
    before = AuditEvent.objects.count()
    answer = asked(client, method, path.format(**PARTS) + "?statsu=held")
    assert answer.status_code == 422, answer
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["field"] == "statsu" and "'statsu' is not a known parameter" in body["detail"]
    known = [one["name"] for one in DOCUMENT["paths"][path][method].get("parameters", []) if one["in"] == "query"]
    listed = body["remedy"].removeprefix("the parameters here are: ").split(", ")
    assert sorted(listed) == sorted(known) or (not known and body["remedy"] == "there are no parameters here")
    assert AuditEvent.objects.count() == before


def test_each_is_named_and_hostile_names_do_no_harm() -> None:
    client = client_of("viewer")
    problems = client.get("/api/v1/runs/?b=1&a=2&status=held").json()["problems"]
    assert [problem["field"] for problem in problems] == ["a", "b"]
    for name in ("%00", "%ED%A0%80", "a" * 2000, "format", "%3Cb%3E", ""):
        assert client.get(f"/api/v1/runs/?{name}=json").status_code == 422, name


def test_a_filter_that_is_given_empty_is_not_one_left_out() -> None:
    client = client_of("viewer")
    for where in ("runs", "approvals"):
        answer = client.get(f"/api/v1/{where}/?status=")
        assert answer.status_code == 422 and "pending" in answer.json()["remedy"]


def test_a_stranger_is_not_told_the_parameters() -> None:
    assert Client().get("/api/v1/runs/?foo=1").status_code == 401
    assert client_of("nobody").get("/api/v1/runs/?foo=1").status_code == 403
