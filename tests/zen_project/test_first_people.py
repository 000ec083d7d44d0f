"""The first accounts of a site can do what the examples ask of them."""

from __future__ import annotations

import pytest

from approvals import people
from approvals.services.policies import check_policy
from orchestration.definitions_io import load_text
from tests.crash.workers import ROOT
from zen_project.demo.people import first_people


@pytest.mark.django_db
def test_the_administrator_is_whom_the_example_policy_escalates_to() -> None:
    first_people()
    stages = load_text((ROOT / "examples" / "deployment-policy.yaml").read_text())["stages"]  # type: ignore[index]
    to = [level["to"] for stage in stages for level in stage.get("escalate", ())]
    policy = check_policy({"policy": "p", "stages": [{"name": "s", "who": who} for who in to]})
    assert to and [person.name for person in people.find(policy).people.values()] == ["admin"]
