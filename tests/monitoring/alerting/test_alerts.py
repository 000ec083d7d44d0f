"""Runs with the same trouble are one alert: told once, again when it matters, and closed when it is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from foundation.clock import now
from foundation.errors import BadInput, NotAllowed, WrongState
from foundation.identity.actor import Actor
from foundation.models import AuditEvent
from monitoring.alerting import acts, silences, telling
from monitoring.alerting.telling import tell_and_close
from monitoring.models import Alert, AlertMember, AlertRule, RunHealth, Silence
from monitoring.queries.alerts import alert_view, alerts, members_of, notes_of
from monitoring.watch import sweep
from notifications.models import Channel, Delivery, Notice
from orchestration.models import Command, Run
from tests.monitoring.watch.test_sweep import BAD, LONG, begun, step
from tests.support.moments import over
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
VIEWER = Actor(name="vic", door="api", roles=frozenset({"viewer"}))
AGENT = Actor(name="bot", door="api", roles=frozenset({"operator"}), scopes=frozenset({"view", "run.act"}))


@pytest.fixture(autouse=True)
def operator(transactional_db: None) -> User:
    user = User.objects.create_user("olga", "olga@example.com")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    return user


def failed(count: int = 1, saga_id: str = "order") -> list[Run]:
    runs = [begun(step("pay", BAD), saga_id=saga_id) for _ in range(count)]
    sweep.sweep(at_once=True)
    return runs


def later(seconds: float) -> None:
    """As if so much time had passed for the alerts."""
    by = timedelta(seconds=seconds)
    for alert in Alert.objects.all():
        for name in ("opened_at", "last_seen_at", "told_at", "tell_at"):
            if getattr(alert, name) is not None:
                setattr(alert, name, getattr(alert, name) - by)
        alert.save()
    for member in AlertMember.objects.all():
        AlertMember.objects.filter(pk=member.pk).update(joined_at=member.joined_at - by)


def told() -> int:
    return Notice.objects.filter(kind="alert.firing").count()


def test_one_alert_for_all_runs_with_one_error() -> None:
    failed(3)
    failed(1, saga_id="other")
    found = Alert.objects.get()  # the same handler is missing in both
    assert (found.members, found.severity, found.rule.name) == (4, "warning", "run_failed")
    assert found.title.startswith("4 runs of several sagas: rolled back: step 'pay' failed")
    assert told() == 0  # the group may still form
    later(31)
    assert tell_and_close() == 1 and tell_and_close() == 0 and told() == 1
    notice = Notice.objects.get(kind="alert.firing")
    assert (
        "4 runs of several sagas" in notice.title
        and "order-" in notice.text
        and "/admin/monitoring/alert/" in notice.url
    )
    assert Delivery.objects.get(notice=notice).user is not None
    assert [note["kind"] for note in notes_of(found)] == ["opened", "told"]


def test_of_many_critical_alerts_only_the_first_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "MOST_ALOUD", 2)
    for number in range(4):
        failed(saga_id=f"s{number}")
        Alert.objects.filter(severity="warning").update(
            severity="critical", fingerprint=f"{number}", labels={"rule": "run_failed", "saga_id": ""}
        )
    later(31)
    assert tell_and_close() == 4 and told() == 4
    assert list(Notice.objects.order_by("pk").values_list("urgent", flat=True)) == [True, True, False, False]


def test_it_is_told_again_when_it_has_grown_tenfold() -> None:
    failed()
    later(31)
    tell_and_close()
    failed(8)
    later(120)
    assert tell_and_close() == 0
    failed(1)
    later(61)
    assert Alert.objects.get().members == 10 and tell_and_close() == 1 and told() == 2


def test_two_watchers_tell_once(monkeypatch: pytest.MonkeyPatch) -> None:
    failed()
    later(31)
    stale = Alert.objects.select_related("rule").get()
    assert tell_and_close() == 1
    from monitoring.alerting import telling

    assert telling._tell(stale, now()) == 0 and told() == 1


def test_what_mends_itself_closes_and_says_so() -> None:
    run = begun(step("cool", LONG))
    Command.objects.filter(run=run, kind="start_timer").update(due_at=now() - timedelta(seconds=100))
    sweep.sweep(at_once=True)
    alert = Alert.objects.get()
    assert alert.rule.name == "run_stuck" and alert.severity == "critical"
    later(6)
    assert tell_and_close() == 1
    Command.objects.filter(run=run, kind="start_timer").update(due_at=now() + timedelta(seconds=1000))
    RunHealth.objects.update(look_at=over())
    sweep.sweep(at_once=True)
    alert.refresh_from_db()
    assert (alert.members, alert.state) == (0, "firing")
    assert tell_and_close() == 0
    later(61)
    tell_and_close()
    alert.refresh_from_db()
    assert alert.state == "resolved" and alert.resolved_at is not None
    assert Notice.objects.filter(subject=f"alert:{alert.pk}", title__startswith="Resolved: ").count() == 1


def test_an_issue_has_to_be_there_for_a_while_and_the_run_is_looked_at_then() -> None:
    run = begun(step("cool", LONG))
    Command.objects.filter(run=run, kind="start_timer").update(due_at=now() - timedelta(seconds=40))
    sweep.sweep(at_once=True)
    assert not Alert.objects.exists()
    row = RunHealth.objects.get(pk=run.pk)
    assert row.look_at is not None and row.look_at <= now() + timedelta(seconds=15)


def test_runs_that_were_rolled_back_leave_after_an_hour() -> None:
    failed(2)
    later(3000)
    failed(1)
    later(700)
    tell_and_close()
    assert Alert.objects.get().members == 1
    later(3000)
    tell_and_close()
    later(61)
    tell_and_close()
    assert Alert.objects.get().state == "resolved"


def test_what_opens_again_and_again_is_held_open() -> None:
    failed()
    first = Alert.objects.get()
    for _ in range(3):
        Alert.objects.filter(state="firing").update(state="resolved")
        AlertMember.objects.all().update(left_at=now())
        failed()
    last = Alert.objects.get(state="firing")
    assert last.flapping and last.flaps == 4 and last.pk != first.pk
    assert "flap" in [note["kind"] for note in notes_of(last)]
    AlertMember.objects.all().update(left_at=now())
    Alert.objects.filter(pk=last.pk).update(members=0)
    later(120)
    tell_and_close()
    last.refresh_from_db()
    assert last.state == "firing"
    later(1800)
    tell_and_close()
    last.refresh_from_db()
    assert last.state == "resolved"


def test_an_acknowledged_alert_rests_for_a_day() -> None:
    run = begun(step("cool", LONG))
    Command.objects.filter(run=run, kind="start_timer").update(due_at=now() - timedelta(seconds=100))
    sweep.sweep(at_once=True)
    later(6)
    tell_and_close()
    alert = Alert.objects.get()
    assert acts.acknowledge(alert.pk, actor=ADA, note="looking").acked_by == "ada"
    assert acts.acknowledge(alert.pk, actor=ADA).acked_by == "ada"
    later(5 * 3600)
    assert tell_and_close() == 0
    acts.unacknowledge(alert.pk, actor=ADA)
    assert tell_and_close() == 1
    assert AuditEvent.objects.filter(workflow_id="alerts", action="alert.ack").count() == 1
    assert "unack" not in alert_view(acts.alert_by_id(alert.pk))["acts"]


def test_a_silence_keeps_what_matches_quiet_until_it_ends() -> None:
    made = silences.silence(
        matchers={"target": "not-there"}, reason="known", ends_at=now() + timedelta(hours=1), actor=ADA
    )
    failed()
    later(31)
    assert tell_and_close() == 0 and Alert.objects.get().silence == made
    assert alert_view(Alert.objects.get())["silenced_until"]
    Silence.objects.update(ends_at=now() - timedelta(seconds=1))
    assert tell_and_close() == 1
    assert Silence.objects.get().ended_at is not None


def test_a_silence_ends_by_hand_and_once() -> None:
    failed()
    made = silences.silence(matchers={"rule": "run_failed"}, reason="x", ends_at=now() + timedelta(days=2), actor=ADA)
    assert Alert.objects.get().silence == made and Alert.objects.get().tell_at is None
    for _ in range(2):
        assert silences.end_silence(made.pk, actor=ADA).ended_by == "ada"
    assert Alert.objects.get().silence is None and Alert.objects.get().tell_at is not None
    assert AuditEvent.objects.filter(action="alert.unsilence").count() == 1


def test_the_number_of_open_silences_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silences, "MOST_OPEN", 1)
    given: dict[str, Any] = {"matchers": {"rule": "run_failed"}, "reason": "x", "actor": ADA}
    made = silences.silence(ends_at=now() + timedelta(hours=1), **given)
    with pytest.raises(BadInput, match="1 silences are open"):
        silences.silence(ends_at=now() + timedelta(hours=1), **given)
    silences.end_silence(made.pk, actor=ADA)
    assert silences.silence(ends_at=now() + timedelta(hours=1), **given).pk != made.pk


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"matchers": {}}, "matchers"),
        ({"matchers": {"nosuch": "x"}}, "matchers.nosuch"),
        ({"matchers": {"rule": 1}}, "matchers.rule"),
        ({"matchers": {"rule": "x" * 201}}, "matchers.rule"),
        ({"reason": " "}, "reason"),
        ({"ends_at": timedelta(days=31)}, "ends_at"),
        ({"ends_at": timedelta(seconds=-1)}, "ends_at"),
    ],
)
def test_a_silence_is_checked(more: dict[str, Any], field: str) -> None:
    given: dict[str, Any] = {"matchers": {"rule": "run_failed"}, "reason": "x", "ends_at": timedelta(hours=1), **more}
    given["ends_at"] = now() + given["ends_at"]
    with pytest.raises(BadInput) as refused:
        silences.silence(actor=ADA, **given)
    assert refused.value.field == field and not Silence.objects.exists()


def test_only_what_does_not_go_away_by_itself_is_resolved_by_hand() -> None:
    failed()
    alert = Alert.objects.get()
    with pytest.raises(BadInput, match="note"):
        acts.resolve(alert.pk, actor=ADA, note=" ")
    assert acts.resolve(alert.pk, actor=ADA, note="paid back").state == "resolved"
    with pytest.raises(WrongState, match="was resolved at"):
        acts.acknowledge(alert.pk, actor=ADA)
    run = begun(step("cool", LONG))
    Command.objects.filter(run=run, kind="start_timer").update(due_at=now() - timedelta(seconds=100))
    sweep.sweep(at_once=True)
    with pytest.raises(WrongState, match="is still so") as refused:
        acts.resolve(Alert.objects.get(state="firing").pk, actor=ADA, note="no")
    assert refused.value.remedy == "silence it, or mend it"


@pytest.mark.parametrize("actor", [VIEWER, AGENT], ids=["viewer", "agent"])
def test_who_may_not(actor: Actor) -> None:
    failed()
    pk = Alert.objects.get().pk
    for act in (acts.acknowledge, acts.unacknowledge):
        with pytest.raises(NotAllowed):
            act(pk, actor=actor)
    with pytest.raises(NotAllowed):
        acts.resolve(pk, actor=actor, note="x")
    with pytest.raises(NotAllowed):
        silences.silence(matchers={"rule": "x"}, reason="x", ends_at=now() + timedelta(hours=1), actor=actor)


def test_a_rule_may_have_channels_and_say_which_is_missing() -> None:
    Channel.objects.create(name="slack://ops", kind="slack", target="#ops")
    failed()
    AlertRule.objects.filter(name="run_failed").update(channels=["slack://ops", "slack://gone"])
    later(31)
    tell_and_close()
    notice = Notice.objects.get(kind="alert.firing")
    assert Delivery.objects.get(notice=notice, channel__name="slack://ops").user is None
    assert "slack://gone" in notice.text


def test_a_rule_that_is_off_tells_nothing() -> None:
    failed()
    Alert.objects.all().delete()
    AlertRule.objects.filter(name="run_failed").update(enabled=False)
    failed()
    assert not Alert.objects.exists()


def test_members_and_lists() -> None:
    runs = failed(2)
    alert = Alert.objects.get()
    assert {row["workflow_id"] for row in members_of(alert)} == {run.workflow_id for run in runs}
    assert [one.pk for one in alerts(severity="warning", rule="run_failed", target="not-there", saga_id="order")] == [
        alert.pk
    ]
    assert not alerts(severity="critical") and not alerts(state="resolved") and alerts(state="")
