"""What a run's configuration says of its failure has its effect: told at once, to whom, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from foundation.errors import BadInput
from foundation.identity.actor import CONSOLE_ROLES, Actor
from monitoring.models import Alert
from monitoring.watch import sweep
from notifications.models import Channel, Delivery, Notice
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act, start_run
from orchestration.runs.queries import run_view
from orchestration.runs.start_inputs import carried_on, usable
from orchestration.workers import lease
from orchestration.workers.celery.worker import work
from tests.monitoring.watch.test_sweep import BAD, LONG, step
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def dora(transactional_db: None) -> Actor:
    user = User.objects.create_user("dora", "dora@example.com")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    return Actor(name="dora", door="api", roles=CONSOLE_ROLES, user_id=user.pk)


def begun(config: dict[str, Any], actor: Actor = ADA, action: Any = BAD) -> Run:
    definition = {"saga_id": "deploy", "steps": [step("a", action)]}
    run, _ = start_run(definition=definition, actor=actor, engine="celery", config=config)
    lease.renew("w")
    work("w")
    run.refresh_from_db()
    sweep.sweep(at_once=True)
    return run


def test_it_is_told_at_once_and_once_to_channels_and_to_whoever_started_it(dora: Actor) -> None:
    Channel.objects.create(name="slack://deployments", kind="slack", target="#d")
    run = begun({"alert_on_failure": True, "notification_channels": ["slack://deployments", "email://ops"]}, dora)
    notice = Notice.objects.get(kind="run.failed")
    assert notice.subject == f"run:{run.pk}:failed" and "rolled back: step 'a' failed" in notice.title
    told = Delivery.objects.filter(notice=notice)
    assert {(one.channel.name if one.channel else "", one.user_id) for one in told} >= {("slack://deployments", None)}
    assert told.filter(user__username="dora").exists()
    sweep.sweep(at_once=True)
    sweep.judge_and_store([run.pk])
    assert Notice.objects.filter(kind="run.failed").count() == 1
    assert "nobody hears by email://ops" in run_view(run)["warnings"][0]


def test_without_the_key_only_the_rules_tell() -> None:
    begun({})
    assert not Notice.objects.filter(kind="run.failed").exists() and Alert.objects.exists()


def test_false_keeps_the_rules_quiet() -> None:
    run = begun({"alert_on_failure": False})
    assert run.status == "rolled_back" and not Alert.objects.exists() and not Notice.objects.exists()


def test_what_goes_well_tells_nothing() -> None:
    begun({"alert_on_failure": True}, action=LONG)
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("alert_on_failure", "yes"),
        ("alert_on_failure", 1),
        ("notification_channels", "slack://x"),
        ("notification_channels", ["not a name"]),
        ("notification_channels", [1]),
        ("notification_channels", ["slack://x"] * 21),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(key: str, value: object) -> None:
    with pytest.raises(BadInput) as refused:
        begun({key: value})
    assert refused.value.field == f"config.{key}" and not Run.objects.exists()


def test_runs_below_have_it_and_old_values_stop_nothing() -> None:
    child = {"type": "saga", "definition": {"saga_id": "below", "steps": [step("b", LONG)]}}
    run = begun({"alert_on_failure": True, "notification_channels": ["slack://x"], "own": 1}, action=child)
    assert run.children.get().config == {"alert_on_failure": True, "notification_channels": ["slack://x"]}
    old = {"alert_on_failure": "yes", "notification_channels": "x", "monitoring_enabled": False, "own": 1}
    assert usable(old) == {"monitoring_enabled": False, "own": 1} and carried_on(old) == {"monitoring_enabled": False}


def test_a_run_of_before_is_restarted_without_what_is_refused_today() -> None:
    run = begun({})
    Run.objects.filter(pk=run.pk).update(config={"alert_on_failure": "yes", "own": 1})
    again = act(workflow_id=run.workflow_id, verb=Verb.RESTART, actor=ADA)
    assert again.config == {"own": 1}
