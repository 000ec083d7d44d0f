"""Who may open which door: every operation of the OpenAPI document, for every role."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.orchestration.api.test_runs import SAGA, client_of, post

pytestmark = pytest.mark.django_db(transaction=True)
READS = ("viewer", "operator", "approver", "administrator")
ACTS = ("operator", "administrator")
DOORS = {
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
    "GET /api/v1/runs/{workflow_id}/events/": READS,
    "GET /api/v1/runs/{workflow_id}/events/stream": READS,
    "GET /api/v1/runs/{workflow_id}/why/": READS,
    "GET /api/v1/runs/{workflow_id}/preview/{verb}/": READS,
    "POST /api/v1/runs/{workflow_id}/{verb}/": ACTS,
}
ELSEWHERE = ("/api/v1/approvals/", "/api/v1/policies/", "/api/v1/delegations/")
"""Their roles are those of tests/approvals/api/test_requests.py."""


def test_the_table_of_doors_is_whole() -> None:
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    paths = {path: methods for path, methods in document["paths"].items() if not path.startswith(ELSEWHERE)}
    assert {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods} == set(DOORS)


@pytest.mark.parametrize("door", DOORS)
def test_each_door_opens_for_its_roles_only(door: str) -> None:
    admin = client_of("administrator")
    post(admin, "runs/", {"definition": SAGA, "workflow_id": "o-1", "engine": "celery"})
    method, path = door.split()
    given = {"saga_id": "order", "version": "1", "workflow_id": "o-1", "verb": "hold"}
    body: Any = {"definition": SAGA} if path.endswith("/runs/") else SAGA if "definitions" in path else {}
    for role in ("", "nobody", *READS):
        client = Client() if not role else admin if role == "administrator" else client_of(role)
        if "preview" not in path and "{verb}" in path and role in ACTS:
            given["verb"] = {"operator": "hold", "administrator": "release"}[role]
        where = path.format(**given)
        answer = client.post(where, body, content_type="application/json") if method == "POST" else client.get(where)
        allowed = role in DOORS[door]
        assert answer.status_code in ((200, 201) if allowed else (403,) if role else (401,)), (role, answer)
