"""The OpenAPI document and the API say the same: Schemathesis makes requests of the one and judges the answers."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import Group, User
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings

from foundation.models import ApiToken
from tests.orchestration.api.test_runs import SAGA, client_of, post
from zen_project.wsgi import application

pytestmark = pytest.mark.django_db(transaction=True)


MEANING = {"positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "409", "410", "422", "503"]}}
"""422 is also the answer to what no JSON Schema can say: a circle of steps, a template without its step, a verb that
needs one. What a schema can say is held to it: `negative_data_rejection` stays as it is."""

SAGAS_AGAIN = {
    "include-operation-id": ["definitions_publish", "definitions_preview", "runs_start", "projects_start"],
    "phases": {"coverage": {"enabled": False}},
}
"""They take the same saga as definitions_validate, or spec as projects_validate, and going through every rule of its
schema is most of the time."""

schema = schemathesis.openapi.from_dict(
    SchemaGenerator().get_schema(request=None, public=True),  # type: ignore[no-untyped-call]
    config=schemathesis.Config.from_dict({"checks": MEANING, "operations": [SAGAS_AGAIN]}),
)
schema.app = application
judged = schema.exclude(operation_id=["runs_events_stream", "runs_logs_stream", "projects_output"])
# A stream ends when its run ends: test_stream.py, test_logs.py and tests/system/projects/test_output.py read them.


@pytest.fixture
def token(transactional_db: None) -> str:
    """Of an operator; a definition and a run are there for the examples that name them."""
    client = client_of("operator")
    assert post(client, "definitions/", SAGA).status_code == 201
    assert post(client, "runs/", {"definition": SAGA, "workflow_id": "0", "engine": "celery"}).status_code == 201
    user = User.objects.create_user("tester")
    user.groups.add(Group.objects.get(name="operator"))
    return str(ApiToken.issue(user)[1])


@judged.parametrize()
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_the_api_keeps_to_its_document(case: Any, token: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
