"""docs/reference/policies.md: its examples are what the product takes, and no key is left out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import override_settings

from approvals.core.content import Ask
from approvals.core.policy.definition import Escalation, PolicyDefinition, Stage, Who, WorkingHours
from approvals.core.policy.form import FormField
from approvals.policies.publish import check_policy
from approvals.requests import publish_policy
from approvals.simulation.report import view
from approvals.simulation.simulate import simulated
from orchestration.runs.documents import load_text
from tests.approvals.scenes import ADA
from tests.system.contract.cast import account
from tests.system.crash.workers import ROOT

GUIDE = (ROOT / "docs" / "reference" / "policies.md").read_text()
BLOCKS: list[Any] = [load_text(text, name="x.yaml") for text in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)]
POLICY, FORM, SILENCE, REQUEST = BLOCKS
POLICY["stages"][0] |= FORM  # which the guide shows as a part of a stage
START = datetime(2026, 11, 25, 9, tzinfo=UTC)


def on_call() -> list[str]:
    return ["dora"]


@pytest.mark.django_db
def test_the_complete_example_has_every_key() -> None:
    policy = check_policy(POLICY)
    used: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            used.update(value)
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(item)

    walk(POLICY)
    models = (PolicyDefinition, Stage, Who, Escalation, WorkingHours, FormField)
    assert {name for model in models for name in model.model_fields} <= used
    assert policy.model_fields_set == set(PolicyDefinition.model_fields)


@pytest.mark.parametrize("model", [PolicyDefinition, Stage, Who, WorkingHours, Escalation, FormField])
def test_every_key_is_explained(model: Any) -> None:
    for name in model.model_fields:
        assert f"`{name}`" in GUIDE or f"`{name}:" in GUIDE, name


@pytest.mark.django_db
def test_the_example_can_be_published_and_simulated() -> None:
    for name, groups in {"bob": [], "dora": [], "erin": ["developers"], "lena": ["leads"], "sam": ["security"],
                         "dirk": ["directors"]}.items():  # fmt: skip
        account(name, *groups)
    stored, new = publish_policy(data=POLICY, actor=ADA)
    assert new and stored.name == "deployment"
    with override_settings(ZEN_ON_CALL={"platform": "tests.approvals.test_guide.on_call"}):
        requester = REQUEST.pop("requester")
        found = view(simulated(policy=check_policy(POLICY), given=Ask(**REQUEST), requester=requester, at=START), START)
    assert found["auto_approve"]["holds"] is False and found["can_pass"]["possible"]
    assert [one["name"] for one in found["can_pass"]["by"]][-2:] == ["lena", "sam"]
    assert found["timeline"][1]["at"]["local"] == "2026-11-25T12:00:00+01:00"


@pytest.mark.django_db
def test_the_example_of_silence_is_a_policy() -> None:
    assert check_policy(SILENCE).stages[0].at_the_end == "approve"


@pytest.mark.django_db
def test_the_recipe_is_a_policy_that_can_pass() -> None:
    """docs/howto/write-a-policy.md: its policy, tried with its request."""
    page = (ROOT / "docs" / "howto" / "write-a-policy.md").read_text()
    found: list[Any] = [load_text(text, name="x.yaml") for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    policy, request, _ = found
    for name, groups in {"bob": ["finance"], "carol": ["finance"], "dora": []}.items():
        account(name, *groups)
    requester = request.pop("requester")
    report = view(simulated(policy=check_policy(policy), given=Ask(**request), requester=requester, at=START), START)
    assert report["auto_approve"]["holds"] is False and report["can_pass"]["possible"]
