"""The first accounts of a site can do what the examples ask of them."""

from __future__ import annotations

import pytest

from approvals.policies import principals
from approvals.policies.publish import check_policy
from orchestration.runs.documents import load_text
from tests.system.crash.workers import ROOT
from zen_project.demo.people import first_people


@pytest.mark.django_db
def test_the_administrator_is_whom_the_example_policy_escalates_to() -> None:
    first_people()
    stages = load_text((ROOT / "examples" / "deployment-policy.yaml").read_text())["stages"]  # type: ignore[index]
    to = [level["to"] for stage in stages for level in stage.get("escalate", ())]
    policy = check_policy({"policy": "p", "stages": [{"name": "s", "who": who} for who in to]})
    assert to and [person.name for person in principals.resolve(policy).people.values()] == ["admin"]
