"""A body that is larger than the site reads is answered as every other error is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.orchestration.api.test_runs import client_of

pytestmark = pytest.mark.django_db(transaction=True)
LARGE = {"stage": "s", "description": "d", "context": {"x": "a" * 6_000_000}}


def sent(client: Client, path: str) -> Any:
    client.raise_request_exception = False
    return client.post(f"/api/v1/{path}", json.dumps(LARGE), content_type="application/json")


@pytest.mark.parametrize("path", ["approvals/", "runs/", "policies/", "definitions/"])
def test_too_large_a_body_is_a_problem(path: str) -> None:
    answer = sent(client_of("operator"), path)
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json"), answer.content[:300]
    problem = answer.json()
    assert problem["status"] == 413 and problem["field"] == "body" and problem["remedy"]
