"""One run, whatever its rows hold, does not keep the watch from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from monitoring.alerting import telling
from monitoring.core.alerting import LEAST_BETWEEN
from monitoring.models import Alert, RunHealth
from monitoring.watch import rows, steps, sweep
from monitoring.watch.judge import Judged, judge
from orchestration.actions.errors import Refused, TryLater
from orchestration.models import Command, News, Run
from orchestration.runs import start_run
from orchestration.workers import lease
from orchestration.workers.celery.worker import work
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

LATER: dict[str, Any] = {"retry_count": 100, "backoff_seconds": 9000, "backoff_limit_seconds": 9000}
HERE = "tests.monitoring.watch.test_hostile_runs"


def refuses(payload: Mapping[str, Any], context: object) -> None:
    raise Refused("http://[not-a-host/x: refused")


def puts_off(payload: Mapping[str, Any], context: object) -> None:
    raise TryLater("busy")


def succeeds(payload: Mapping[str, Any], context: object) -> None: ...


@pytest.fixture(autouse=True)
def handlers(settings: Settings) -> None:
    settings.ZEN_TASKS = {name: f"{HERE}.{name}" for name in ("refuses", "puts_off", "succeeds")}


def begun(*names: str, saga_id: str = "s", **more: Any) -> Run:
    """A run of steps side by side, each with the handler of this name, as far as it goes."""
    made = [
        {"step_id": f"s{number}", "dependencies": [], "forward_action": {"type": "task", "handler": name}, **more}
        for number, name in enumerate(names)
    ]
    run, _ = start_run(definition={"saga_id": saga_id, "steps": made}, actor=ADA, engine="celery")
    lease.renew("w")
    while work("w"):
        pass
    run.refresh_from_db()
    return run


def broken_for(bad: Run) -> Any:
    """`judge` that breaks at one run, as at a row that nobody thought of."""

    def breaks(run_ids: Sequence[int], *args: Any, **more: Any) -> list[Judged]:
        if bad.pk in run_ids:
            raise TypeError("nobody thought of that")
        return judge(run_ids, *args, **more)

    return breaks


def test_an_error_that_begins_like_an_address_is_an_error_as_any_other() -> None:
    run = begun("refuses")
    sweep.sweep(at_once=True)
    assert "refused" in RunHealth.objects.get(pk=run.pk).issues[0]["sentence"]


def test_a_run_that_cannot_be_judged_is_unknown_and_the_others_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [begun("succeeds", saga_id=f"s{number}") for number in range(7)]
    bad = runs[3]
    monkeypatch.setattr(sweep, "judge", broken_for(bad))
    assert sweep.sweep(at_once=True).judged == 7
    found = dict(RunHealth.objects.values_list("pk", "status"))
    assert found == {run.pk: "unknown" if run == bad else "healthy" for run in runs}
    assert not News.objects.exists() and sweep.sweep(at_once=True).judged == 0  # it has its turn again in a while
    monkeypatch.undo()
    RunHealth.objects.filter(pk=bad.pk).update(look_at=bad.created_at)
    assert sweep.sweep(at_once=True).judged == 1 and RunHealth.objects.get(pk=bad.pk).status == "healthy"


def test_what_another_watcher_was_in_the_way_of_is_done_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    run, tries = begun("succeeds"), []

    def meets_another(run_ids: Sequence[int], *args: Any, **more: Any) -> list[Judged]:
        tries.append(run_ids)
        if len(tries) == 1:
            raise IntegrityError("it is there already")
        return judge(run_ids, *args, **more)

    monkeypatch.setattr(sweep, "judge", meets_another)
    assert sweep.sweep(at_once=True).judged == 1 and len(tries) == 2
    assert RunHealth.objects.get(pk=run.pk).status == "healthy"


def test_many_steps_that_back_off_cost_no_query_each() -> None:
    few, many = begun(*["puts_off"] * 3, **LATER), begun(*["puts_off"] * 20, saga_id="wide", **LATER)
    asked = []
    for run in (few, many):
        with CaptureQueriesContext(connection) as queries:
            assert sweep.judge_and_store([run.pk]) == 1
        asked.append(len(queries))
    assert asked[1] <= asked[0] + 3


def test_where_timers_are_no_rows_few_steps_are_asked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    run = begun(*["puts_off"] * 20, **LATER)
    Command.objects.filter(run=run, kind="start_timer").delete()
    sweep.judge_and_store([run.pk])  # rules are made once
    asked = []
    for most in (2, 4, 4000):
        monkeypatch.setattr(steps, "MOST_ASKED", most)
        with CaptureQueriesContext(connection) as queries:
            assert sweep.judge_and_store([run.pk]) == 1
        asked.append(len(queries))
    assert asked[0] < asked[1] < asked[2] and asked[1] - asked[0] <= 8


def test_the_failures_of_one_run_do_not_push_those_of_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_FAILURES", 10)
    quiet = begun("refuses", saga_id="quiet")
    begun(*["refuses"] * 12, saga_id="loud", critical=False)
    sweep.sweep(at_once=True)
    assert "refused" in RunHealth.objects.get(pk=quiet.pk).issues[0]["sentence"]


def test_an_alert_that_cannot_be_told_does_not_keep_the_others_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("refuses", "not-there"):
        begun(name)
    sweep.sweep(at_once=True)
    first, second = Alert.objects.order_by("pk")
    Alert.objects.update(tell_at=first.opened_at)
    Alert.objects.filter(pk=first.pk).update(tell_at=first.opened_at - LEAST_BETWEEN)

    def message_of(alert: Alert, unheard: Any = ()) -> Any:
        if alert.pk == first.pk:
            raise TypeError("nobody thought of that")
        return real(alert, unheard)

    real = telling.message_of
    monkeypatch.setattr(telling, "message_of", message_of)
    assert telling.tell_and_close() == 1
    second.refresh_from_db()
    assert second.told_seq == 1
