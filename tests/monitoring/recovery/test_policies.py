"""Recovery policies have versions, one of which is in force; runs are held against those that are, and no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from foundation.clock import now
from foundation.errors import BadInput, NotAllowed, NotFound
from foundation.identity.actor import CONSOLE_ROLES, Actor
from foundation.models import AuditEvent
from monitoring.core.policy import RecoveryPolicy
from monitoring.health_check import check_health
from monitoring.models import Norm, PolicyVersion, RunHealth
from monitoring.recovery.policies import armed, current, policies, policy_in
from monitoring.recovery.publishing import publish, remove, set_mode
from monitoring.watch import round as rounds
from monitoring.watch import sweep
from tests.monitoring.core.test_policy import GIVEN
from tests.monitoring.watch.test_sweep import BAD, LONG, begun, step, trivial
from tests.support.moments import over
from tests.system.contract.sagas import ADA

__all__ = ["trivial"]
pytestmark = [pytest.mark.django_db(transaction=True)]
EVE = Actor(name="eve", door="api", roles=frozenset({"operator"}))
SHIPPED = ["blocked-transient", "lost", "machinery", "undo-transient"]


def policy(policy_id: str = "p", **more: Any) -> RecoveryPolicy:
    return RecoveryPolicy(**{**GIVEN, "policy_id": policy_id, "workflow_types": ["saga"], **more})


def matched(run: Any) -> set[str]:
    return set(RunHealth.objects.get(pk=run.pk).matched)


def test_a_fresh_site_has_the_shipped_policies_and_an_administrator_may_turn_them_off() -> None:
    assert [row.policy_id for row in policies()] == SHIPPED
    assert {row.mode for row in policies()} == {"live"} and all(row.shipped for row in policies())
    set_mode("lost", "off", actor=ADA)
    remove("machinery", actor=ADA)
    assert [one.policy_id for one in armed()] == ["blocked-transient", "undo-transient"]
    assert [row.policy_id for row in policies()] == ["blocked-transient", "lost", "undo-transient"]


@pytest.mark.both_databases
def test_a_body_is_a_version_once_and_the_mode_is_none_of_it() -> None:
    first, changed = publish(policy(), actor=ADA)
    assert changed and first.version == 1
    assert publish(policy(), actor=ADA) == (first, False)
    shadow, changed = publish(policy(mode="shadow"), actor=ADA)
    assert changed and (shadow.pk, shadow.mode) == (first.pk, "shadow")
    second, _ = publish(policy(priority=5), actor=ADA)
    assert second.version == 2 and current("p") == second
    back, _ = publish(policy(), actor=Actor(name="bob", door="api", roles=CONSOLE_ROLES))
    assert (back.pk, back.published_by) == (first.pk, "bob") and current("p") == first
    assert policy_in(back) == policy()
    assert PolicyVersion.objects.filter(policy_id="p", current=True).count() == 1
    acts = AuditEvent.objects.filter(workflow_id="recovery").order_by("pk").values_list("action", flat=True)
    assert list(acts) == ["recovery.publish"] * 4


def test_what_was_removed_is_not_in_force_and_may_be_published_again() -> None:
    made, _ = publish(policy(), actor=ADA)
    remove("p", actor=ADA)
    with pytest.raises(NotFound):
        current("p")
    with pytest.raises(NotFound):
        remove("p", actor=ADA)
    again, changed = publish(policy(), actor=ADA)
    assert changed and again.pk == made.pk and current("p") == made


def test_only_an_administrator_manages_recovery_and_no_agent() -> None:
    agent = Actor(name="bot", door="mcp", roles=CONSOLE_ROLES, scopes=frozenset({"view", "run.act"}))
    for actor in (EVE, agent):
        with pytest.raises(NotAllowed):
            publish(policy(), actor=actor)
        with pytest.raises(NotAllowed):
            set_mode("lost", "off", actor=actor)
        with pytest.raises(NotAllowed):
            remove("lost", actor=actor)
    assert not AuditEvent.objects.filter(workflow_id="recovery").exists()


def test_bad_input_names_field_and_remedy_and_changes_nothing() -> None:
    with pytest.raises(BadInput) as mode:
        set_mode("lost", "on", actor=ADA)
    assert mode.value.field == "mode" and "off, shadow, live" in mode.value.remedy
    with pytest.raises(NotFound) as unknown:
        set_mode("lots", "off", actor=ADA)
    assert unknown.value.remedy == "did you mean 'lost'?"
    with pytest.raises(BadInput) as channel:
        publish(policy(notification_channels=["slack"]), actor=ADA)
    assert channel.value.field == "notification_channels"
    assert current("lost").mode == "live" and not PolicyVersion.objects.filter(policy_id="p").exists()


def test_a_run_is_held_against_what_is_in_force_at_once_if_in_trouble_and_else_within_a_round() -> None:
    fine, bad = begun(step("a", LONG)), begun(step("a", BAD, retry_count=5), step("b", LONG))
    sweep.sweep(at_once=True)
    assert matched(fine) == matched(bad) == set()
    publish(policy("busy", conditions={"attempts": {">=": 1}, "error_rate": {">=": 0.5}}), actor=ADA)
    publish(policy("calm", conditions={"idle_seconds": {">=": 0}, "health": {"==": "healthy"}}), actor=ADA)
    RunHealth.objects.filter(pk=bad.pk).update(ended=False, look_at=over())
    sweep.sweep(at_once=True)
    assert matched(bad) == {"busy"} and matched(fine) == set()
    rounds.walk_once()
    assert matched(fine) == {"calm"}


def test_a_threshold_of_time_and_a_hold_off_are_looked_at_when_they_are_reached() -> None:
    publish(policy(conditions={"execution_time_seconds": {">=": 1800}}, hold_off_seconds=120), actor=ADA)
    run = begun(step("a", LONG))
    sweep.sweep(at_once=True)
    row = RunHealth.objects.get(pk=run.pk)
    assert run.started_at is not None and row.look_at is not None
    assert abs((row.look_at - run.started_at).total_seconds() - 1800) < 1 and row.matched == {}
    type(run).objects.filter(pk=run.pk).update(started_at=run.started_at - timedelta(seconds=1900))
    RunHealth.objects.update(look_at=over())
    sweep.sweep(at_once=True)
    row = RunHealth.objects.get(pk=run.pk)
    assert set(row.matched) == {"p"} and row.look_at is not None
    assert 60 < (row.look_at - now()).total_seconds() <= 120


def test_runs_that_completed_are_judged_one_by_one_where_a_policy_could_match_them(settings: Any) -> None:
    settings.ZEN_TASKS = {"trivial": "tests.monitoring.watch.test_sweep.trivial"}
    Norm.objects.create(saga_id="much", n=500, updated_at=now())
    publish(policy(conditions={"total_steps": {"==": 1}, "status": {"==": "completed"}}), actor=ADA)
    runs = [begun(step("a", {"type": "task", "handler": "trivial"}), saga_id="much") for _ in range(2)]
    sweep.sweep(at_once=True)
    assert [matched(run) for run in runs] == [{"p"}, {"p"}]


@pytest.mark.both_databases
def test_attempts_are_counted_where_they_are_asked_for() -> None:
    run = begun(step("a", BAD, critical=False, default_output={}), step("b", LONG))
    figures = check_health(run.workflow_id, ADA).metrics
    assert (figures["attempts"], figures["retry_count"], figures["worker_losses"], figures["error_rate"]) == (
        1,
        0,
        0,
        1,
    )
    assert figures["busy_seconds"] >= 0 and figures["state_seconds"] >= 0 and figures["step_id"] == "a"
    assert "no task" in figures["error"]
