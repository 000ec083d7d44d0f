"""What is wrong with the whole site is one alert, whoever looks; what it explains is shown and not told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as conf
from django.core.management import call_command
from pytest_django import Settings

from foundation.clock import now
from foundation.errors import WrongState
from foundation.models import AuditEvent
from monitoring.alerting import acts
from monitoring.alerting.telling import tell_and_close
from monitoring.dashboard import dashboard
from monitoring.models import Alert, Loop
from monitoring.probes import site as probes
from monitoring.watch import loops, site, sweep
from notifications.models import Callback, Channel, Delivery, Endpoint, Notice
from orchestration.engines.base import Reach
from orchestration.engines.registry import ENGINES
from orchestration.models import AgentEndpoint, Command, Message, Run, Worker
from orchestration.runs import start_run
from orchestration.workers import lease
from tests.monitoring.alerting.test_alerts import later
from tests.monitoring.watch.test_sweep import BAD, LONG, begun, step
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def look() -> list[dict[str, Any]]:
    """Ask at once, and say what is wrong; nothing of the disks, which are this machine's."""
    Loop.objects.filter(name=loops.SITE).update(at=None)
    site.look()
    return [issue for issue in site.site_issues() if issue["code"] != "disk_low"]


def codes() -> list[str]:
    return [issue["code"] for issue in look()]


def waiting(count: int, seconds: float) -> None:
    """So many runs whose first step has waited for so long, and nobody to perform it."""
    for _ in range(count):
        start_run(definition={"saga_id": "s", "steps": [step("a", BAD)]}, actor=ADA, engine="celery")
    Worker.objects.all().delete()
    Command.objects.update(status=Command.READY, due_at=now() - timedelta(seconds=seconds))


def away(engine: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ENGINES[engine], "reach", lambda: Reach(ok=False, why=why, remedy="start it"))


def test_that_no_worker_is_alive_is_one_alert_however_much_waits() -> None:
    waiting(12, 31)
    found = look()
    assert [issue["code"] for issue in found] == ["no_worker"] and Alert.objects.exclude(
        rule__name="disk_low"
    ).count() == 1
    assert found[0]["sentence"].startswith("no celery worker is alive: 12 steps wait, the oldest for 3")
    assert found[0]["sentence"].endswith("start one: celery -A zen_project worker -B")
    alert = Alert.objects.get(rule__name="no_worker")
    assert (alert.severity, alert.members, alert.labels["engine"]) == ("critical", 0, "celery")
    later(6)
    assert tell_and_close() == 1
    with pytest.raises(WrongState, match="still so"):
        acts.resolve(alert.pk, actor=ADA, note="done")
    lease.renew("w")
    assert codes() == []
    assert Alert.objects.get(pk=alert.pk).state == "firing"  # it may be away again at once
    later(61)
    look()
    assert Alert.objects.get(pk=alert.pk).state == "resolved"


def test_what_was_over_at_the_next_look_is_not_told() -> None:
    unwatched()
    look()
    assert Alert.objects.get(rule__name="monitoring_behind").tell_at is not None
    Loop.objects.filter(name="watch").update(at=now())
    look()
    assert Alert.objects.get(rule__name="monitoring_behind").tell_at is None
    unwatched()
    look()
    assert Alert.objects.get(rule__name="monitoring_behind").tell_at is not None


def test_after_a_stop_of_all_the_site_is_looked_at_before_anything_is_told_of_it() -> None:
    waiting(1, 31)
    look()
    later(60)
    assert tell_and_close() == 0
    look()
    assert tell_and_close() == 1


def test_a_worker_that_is_restarted_and_one_that_has_nothing_to_do_are_no_alert() -> None:
    waiting(1, 5)
    assert "no_worker" not in codes()
    Command.objects.update(due_at=now() + timedelta(seconds=500))
    assert "no_worker" not in codes()


def test_the_site_is_asked_by_who_looks_when_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    waiting(2, 31)
    assert [issue["code"] for issue in dashboard()["site"] if issue["code"] != "disk_low"] == ["no_worker"]
    call_command("monitor", "show")
    assert "no celery worker is alive: 2 steps wait" in " ".join(capsys.readouterr().out.split())
    before = Loop.objects.get(name=loops.SITE).at
    dashboard()
    assert Loop.objects.get(name=loops.SITE).at == before  # asked a moment ago


def test_an_engine_that_is_away_explains_what_stands_still_on_it(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    run = begun(step("cool", LONG))
    run.refresh_from_db()
    Command.objects.filter(run=run).update(due_at=now() - timedelta(seconds=100))
    sweep.sweep(at_once=True)
    stuck = Alert.objects.get(rule__name="run_stuck")
    Run.objects.filter(pk=run.pk).update(engine="temporal")
    Alert.objects.filter(pk=stuck.pk).update(labels=stuck.labels | {"engine": "temporal"})
    Message.objects.create(run=run, message_id="m", event={"kind": "abort_requested", "by": "ada"})
    lease.renew("t:t", engine="temporal")
    away("temporal", "connection refused", monkeypatch)
    look()
    assert not Alert.objects.filter(rule__name="engine_unreachable").exists()  # asked once: it may be a hiccup
    detail = Loop.objects.get(name=loops.SITE).detail
    detail["away"]["temporal"]["since"] = (now() - timedelta(seconds=20)).isoformat()
    Loop.objects.filter(name=loops.SITE).update(detail=detail)
    told = look()
    sentence = next(issue["sentence"] for issue in told if issue["code"] == "engine_unreachable")
    assert sentence.startswith("Temporal does not answer since") and "1 run waits, 1 act is stored" in sentence
    later(6)
    tell_and_close()
    stuck.refresh_from_db()
    cause = Alert.objects.get(rule__name="engine_unreachable")
    assert stuck.inhibited_by_id == cause.pk and stuck.tell_at is None and stuck.told_seq == 0 and cause.told_seq == 1
    Alert.objects.filter(pk=cause.pk).update(state="resolved", resolved_at=now())
    tell_and_close()
    again = Alert.objects.get(pk=stuck.pk)
    assert again.inhibited_by_id is None and again.told_seq == 1
    assert [note.kind for note in again.notes.all()] == ["opened", "inhibited", "inhibited", "told"]


def test_a_run_below_explains_the_one_that_waits_for_it() -> None:
    parent, child = begun(step("ship", BAD)), begun(step("cool", BAD | {"handler": "nowhere"}))
    Run.objects.filter(pk=child.pk).update(parent=parent, parent_step="ship")
    sweep.sweep(at_once=True)
    below = Alert.objects.get(member_rows__run_id=child.pk)
    above = Alert.objects.exclude(pk=below.pk).get()
    tell_and_close()
    above.refresh_from_db()
    below.refresh_from_db()
    assert above.inhibited_by_id == below.pk and below.inhibited_by_id is None


def queue(seconds: float) -> None:
    waiting(2, seconds)
    lease.renew("w", queues={"default": 3})


def orders(seconds: float) -> None:
    run = begun(step("a", LONG))
    Message.objects.create(run=run, message_id="m", event={"kind": "abort_requested"})
    Message.objects.update(created_at=now() - timedelta(seconds=seconds))


def notice(**fields: Any) -> Delivery:
    channel = Channel.objects.create(name="slack://ops", kind="slack")
    told = Notice.objects.create(subject="x", kind="x", title="x", dedupe="x", created_at=now())
    return Delivery.objects.create(notice=told, channel=channel, created_at=now(), due_at=now(), **fields)


def callback(**fields: Any) -> None:
    endpoint = Endpoint.objects.create(url="https://hooks.example/a", owner="ada")
    about = {"event_type": "x", "subject": "x", "payload": "{}", "due_at": now(), "sequence": 1}
    Callback.objects.create(endpoint=endpoint, webhook_id="w", **about, **fields)


def signed_out() -> None:
    fields = {"agent_type": "CLAUDE", "driver": "cli", "created_at": now(), "health": "out_of_service"}
    AgentEndpoint.objects.create(name="one", out_since=now(), health_error="Not logged in", **fields)
    AgentEndpoint.objects.create(name="off", out_since=now(), enabled=False, **fields)
    AgentEndpoint.objects.create(name="well", **fields | {"health": "healthy"})


def skewed() -> None:
    lease.renew("w", detail={"clock_ahead": -4.2})


def unsealed() -> None:
    AuditEvent.objects.create(workflow_id="c", seq=1, actor="a", action="x", door="api", at=now())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AuditEvent._meta.get_field("at"), "auto_now_add", False)
        AuditEvent.objects.create(workflow_id="d", seq=1, actor="a", action="x", at=now() - timedelta(hours=31))


def unwatched() -> None:
    loops.held(loops.WATCH, timedelta(0))
    Loop.objects.filter(name=loops.WATCH).update(at=now() - timedelta(seconds=400))


CASES: list[tuple[str, str, str, Callable[[], object]]] = [
    ("queue_behind", "warning", "is 61 s behind: 2 steps wait, and all 3 threads are busy", lambda: queue(61)),
    ("queue_behind", "critical", "is 6 min behind", lambda: queue(400)),
    ("relay_behind", "warning", "1 act of celery not handed over, the oldest for 40 s", lambda: orders(40)),
    ("notices_undelivered", "warning", "1 notice was given up within the last hour, the last one to slack://ops: no",
     lambda: notice(status="dead", error="no", ended_at=now())),
    ("callbacks_dead", "warning", "the last one to https://hooks.example/a (HTTP 500)",
     lambda: callback(status="dead", last_status=500)),
    ("agent_out_of_service", "warning", "the agent 'one' (CLAUDE) gets no attempts: Not logged in", signed_out),
    ("clock_skew", "warning", "the clock of worker w is 4.2 s behind the database's", skewed),
    ("monitoring_behind", "critical", "nobody watches the runs since", unwatched),
]  # fmt: skip


@pytest.mark.parametrize(("code", "severity", "words", "arrange"), CASES, ids=[f"{one[0]}-{one[1]}" for one in CASES])
def test_each_trouble_of_the_site_is_told_in_a_sentence(
    code: str, severity: str, words: str, arrange: Callable[[], object]
) -> None:
    arrange()
    found = [issue for issue in look() if issue["code"] == code]
    assert [(issue["severity"], words in issue["sentence"]) for issue in found] == [(severity, True)], found
    assert found[0]["act"]["text"] and Alert.objects.filter(rule__name=code, severity=severity).exists() == (
        code != "relay_behind" or severity == "warning"
    )


def test_a_probe_that_fails_spoils_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(1, 31)

    def broken() -> Any:
        raise RuntimeError("gone")

    monkeypatch.setattr(probes, "PROBES", {"clock_skew": broken, **probes.PROBES})
    assert "no_worker" in codes()


def test_nothing_is_asked_where_monitoring_is_off(settings: Settings) -> None:
    settings.WORKFLOW_MONITORING_ENABLED = False
    waiting(1, 31)
    assert look() == [] and Alert.objects.count() == 0 and conf.WORKFLOW_MONITORING_ENABLED is False
