"""A recovery policy takes the fields by name and order, and refuses what cannot be with a remedy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from foundation.errors import BadInput
from monitoring.core.detectors import assess
from monitoring.core.enums import RecoveryAction
from monitoring.core.matching import arm, due, match_all, may_match_completed
from monitoring.core.metrics import metrics
from monitoring.core.norms import Norms
from monitoring.core.policy import RecoveryPolicy, from_body
from tests.monitoring.core.cases import NOON, ago, facts, trouble

GIVEN: dict[str, Any] = {
    "policy_id": "high_value_workflow_policy",
    "name": "High Value Workflow Recovery",
    "workflow_types": ["multi_agent_project"],
    "conditions": {"execution_time_hours": {">=": 4}, "error_rate": {">=": 0.3}},
    "recovery_actions": [RecoveryAction.RETRY, RecoveryAction.ESCALATE],
    "max_recovery_attempts": 3,
    "notification_channels": ["slack://alerts", "email://ops@company.com"],
}


def policy(**more: Any) -> RecoveryPolicy:
    return RecoveryPolicy(**{**GIVEN, **more})


def test_fields_stand_in_the_decided_order_and_the_further_ones_are_by_name_alone() -> None:
    found = RecoveryPolicy(*GIVEN.values())
    assert found == policy()
    assert found.mode == "live"
    assert found.acting == (RecoveryAction.RETRY,)
    with pytest.raises(TypeError):
        RecoveryPolicy(*GIVEN.values(), "shadow")  # type: ignore[call-arg]


def test_a_body_makes_the_same_policy_again() -> None:
    found = policy(priority=5, needs_approval=[RecoveryAction.RETRY], canary=False)
    assert from_body(found.body()) == found
    assert found.body()["recovery_actions"] == ["retry", "escalate"]


@pytest.mark.parametrize(
    ("change", "field", "remedy"),
    [
        ({"policy_id": "no spaces"}, "policy_id", "letters, digits"),
        ({"name": " "}, "name", "a text of 1"),
        ({"workflow_types": []}, "workflow_types", "a list of 1"),
        ({"workflow_types": ["sage"]}, "workflow_types", "did you mean 'saga'?"),
        ({"workflow_types": "saga"}, "workflow_types", "a list"),
        ({"conditions": {}}, "conditions", "name a metric"),
        ({"recovery_actions": ["retri"]}, "recovery_actions", "did you mean 'retry'?"),
        ({"recovery_actions": []}, "recovery_actions", "a list of 1"),
        ({"recovery_actions": ["retry", "rollback"], "max_recovery_attempts": 1}, "max_recovery_attempts", "give 2"),
        ({"max_recovery_attempts": True}, "max_recovery_attempts", "a whole number of 1 to 20"),
        ({"max_recovery_attempts": 0}, "max_recovery_attempts", "1 to 20"),
        ({"cooldown_seconds": 0.5}, "cooldown_seconds", "a whole number"),
        ({"mode": "lively"}, "mode", "did you mean 'live'?"),
        ({"canary": "yes"}, "canary", "true or false"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_field_and_a_remedy(
    change: dict[str, Any], field: str, remedy: str
) -> None:
    with pytest.raises(BadInput) as refused:
        policy(**change)
    assert refused.value.field == field
    assert remedy in refused.value.remedy
    assert refused.value.value or field == "conditions"


def test_unknown_and_missing_fields_of_a_body_are_named() -> None:
    with pytest.raises(BadInput, match="no field 'polcy_id'") as unknown:
        from_body({**GIVEN, "polcy_id": "x"})
    assert unknown.value.remedy == "did you mean 'policy_id'?"
    with pytest.raises(BadInput, match="no conditions"):
        from_body({name: value for name, value in GIVEN.items() if name != "conditions"})


def test_policies_match_by_type_and_condition_and_wait_for_their_hold_off() -> None:
    known = facts(troubled=(trouble(blocked=True),), held=True)
    health = assess(known, Norms())
    blocked = {"issue": {"==": "step_blocks"}, "error_class": {"in": ["http_5xx"]}}
    kinds = {"saga": ["saga"], "this": ["saga:order"], "all": ["*"], "other": ["saga:ship"], "gates": ["approval"]}
    armed = [
        arm(policy(policy_id=name, workflow_types=types, conditions=blocked, priority=9 if name == "saga" else 100,
                   hold_off_seconds=60 if name == "all" else 0))
        for name, types in kinds.items()
    ]  # fmt: skip
    found = match_all(armed, known, metrics(known, health), {"this": ago(40)})
    assert found.since == {"saga": NOON, "this": ago(40), "all": NOON}
    assert [one.policy_id for one in due(armed, found.since, NOON)] == ["saga", "this"]
    assert found.look_at == NOON + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("priority", "mode", "in_turn"),
    [(50, "live", []), (50, "shadow", ["quick"]), (100, "live", ["quick"]), (200, "live", ["quick"])],
)
def test_a_policy_that_holds_off_keeps_the_run_from_those_behind_it(
    priority: int, mode: str, in_turn: list[str]
) -> None:
    blocked = {"issue": {"==": "step_blocks"}}
    patient = policy(policy_id="patient", conditions=blocked, priority=priority, hold_off_seconds=300, mode=mode)
    armed = [arm(patient), arm(policy(policy_id="quick", conditions=blocked))]
    since = {"patient": NOON, "quick": NOON}
    assert [one.policy_id for one in due(armed, since, NOON)] == in_turn
    assert {one.policy_id for one in due(armed, since, NOON + timedelta(seconds=300))} == {"patient", "quick"}


def test_a_run_that_matched_an_earlier_version_matches_the_new_one_since_that_was_published() -> None:
    known = facts(troubled=(trouble(blocked=True),), held=True)
    given = policy(policy_id="p", workflow_types=["*"], conditions={"blocked_steps": {">": 0}}, hold_off_seconds=60)
    figures = metrics(known, assess(known, Norms()))
    for published, since in ((ago(3600), ago(600)), (ago(5), ago(5))):
        armed = arm(given, 1, published)
        assert match_all([armed], known, figures, {"p": ago(600)}).since == {"p": since}
        assert bool(due([armed], {"p": since}, NOON)) is (since == ago(600))


def test_what_completed_is_looked_at_only_where_a_policy_could_match_it() -> None:
    assert not may_match_completed([arm(policy(conditions={"issue": {"==": "stalled"}}))])
    assert may_match_completed([arm(policy(conditions={"execution_time_hours": {">=": 4}}))])
