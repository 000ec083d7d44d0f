"""A pass judges what has news or is due, and nothing else; a lost piece of news is found by the round."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from foundation.clock import now
from foundation.errors import BadInput
from foundation.outbound import circuit_breaker
from monitoring.models import Loop, Norm, RunHealth
from monitoring.watch import loops, news, sweep
from monitoring.watch import round as rounds
from monitoring.watch.judge import judge
from monitoring.watch.learn import MOST_NORMS, forget_old_norms
from orchestration.core.enums import RunStatus, Verb
from orchestration.models import Command, News, Run
from orchestration.runs import act, start_run
from orchestration.workers import lease
from orchestration.workers.celery import timers
from orchestration.workers.celery.worker import work
from tests.support.peer import Peer
from tests.system.contract.sagas import ADA, start
from tests.system.contract.sagas import step as contract_step

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

LONG: dict[str, Any] = {"type": "wait", "seconds": 5000}
BAD: dict[str, Any] = {"type": "task", "handler": "not-there"}


def step(step_id: str, action: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"step_id": step_id, "forward_action": action, **more}


def begun(*steps: dict[str, Any], saga_id: str = "s", config: dict[str, Any] | None = None) -> Run:
    """A run that has gone as far as it goes by itself."""
    run, _ = start_run(definition={"saga_id": saga_id, "steps": list(steps)}, actor=ADA, engine="celery", config=config)
    lease.renew("w")
    work("w")
    run.refresh_from_db()
    return run


def health(run: Run) -> RunHealth:
    return RunHealth.objects.get(pk=run.pk)


def codes(run: Run) -> list[str]:
    return [issue["code"] for issue in health(run).issues]


def test_a_run_is_judged_once_it_begins_and_when_it_is_due() -> None:
    run = begun(step("a", LONG))
    assert sweep.sweep(at_once=True).judged == 1
    row = health(run)
    assert (row.status, row.issues, row.ended) == ("healthy", [], False) and row.look_at is not None
    assert sweep.sweep(at_once=True).judged == 0 and not News.objects.exists()
    RunHealth.objects.update(look_at=now() - timedelta(seconds=3))
    done = sweep.sweep(at_once=True)
    assert done.judged == 1 and 3 <= done.lag < 30


def test_that_a_run_has_begun_waits_and_a_failure_does_not() -> None:
    fine, bad = begun(step("a", LONG)), begun(step("a", BAD))
    assert sweep.sweep().judged == 1 and health(bad).status == "warning"
    assert not RunHealth.objects.filter(pk=fine.pk).exists()
    News.objects.update(at=now() - news.BEGINNING)
    assert sweep.sweep().judged == 1 and health(fine).status == "healthy"
    assert not News.objects.exists()


def test_runs_that_completed_are_stored_together_once_much_is_known(settings: Settings) -> None:
    settings.ZEN_TASKS = {"trivial": "tests.monitoring.watch.test_sweep.trivial"}
    quick = {"type": "task", "handler": "trivial"}
    Norm.objects.create(saga_id="much", n=500, updated_at=now())
    plain = [begun(step("a", quick), saga_id="much") for _ in range(11)]
    left_out = begun(step("a", BAD, critical=False, default_output={}), saga_id="much")
    one_by_one = set()

    def noted(run_ids: Any, away: Any, **more: Any) -> Any:
        one_by_one.update(run_ids)
        return judge(run_ids, away, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sweep, "judge", noted)
        assert sweep.sweep(at_once=True).judged == 12
    assert one_by_one == {run.pk for run in (*plain, left_out) if run.pk % 10 == 0 or run == left_out}
    assert {health(run).status for run in plain} == {"healthy"} and all(health(run).ended for run in plain)
    assert health(left_out).issues[0]["code"] == "completed_with_warnings"


def test_a_failure_is_news_and_says_why() -> None:
    run = begun(step("a", BAD))
    sweep.sweep(at_once=True)
    row = health(run)
    assert (row.status, row.ended, row.look_at) == ("warning", True, None)
    assert row.issues[0]["sentence"].startswith("rolled back: step 'a' failed (there is no task 'not-there'")
    assert row.issues[0]["act"]["verb"] == "restart"


def test_a_step_after_the_pivot_that_fails_blocks_and_a_skip_heals() -> None:
    pivot = step("p", {"type": "wait", "seconds": 0.01}, pivot=True)
    run = begun(pivot, step("a", BAD, dependencies=["p"]))
    Command.objects.filter(kind="start_timer").update(due_at=now() - timedelta(seconds=1))
    timers.fire("w")
    work("w")
    run.refresh_from_db()
    assert run.status == RunStatus.HELD
    sweep.sweep(at_once=True)
    assert codes(run) == ["step_blocks"] and health(run).status == "critical"
    act(workflow_id=run.workflow_id, verb=Verb.SKIP, actor=ADA, step_id="a", note="-")
    work("w")
    sweep.sweep(at_once=True)
    assert "step_blocks" not in codes(run)


def test_a_person_s_act_is_news() -> None:
    run = begun(step("a", LONG))
    sweep.sweep(at_once=True)
    act(workflow_id=run.workflow_id, verb=Verb.HOLD, actor=ADA, note="wrong price")
    assert News.objects.filter(run_id=run.pk).exists()
    sweep.sweep(at_once=True)
    row = health(run)
    assert row.status == "healthy" and row.look_at is not None  # held for less than a day
    assert row.version == Run.objects.get(pk=run.pk).version


def test_news_that_was_lost_is_found_by_the_round() -> None:
    run = begun(step("a", LONG))
    News.objects.all().delete()
    assert sweep.sweep(at_once=True).judged == 0 and not RunHealth.objects.exists()
    assert rounds.walk_once() == 1 and health(run).status == "healthy"
    assert rounds.walk_once() == 0
    Run.objects.filter(pk=run.pk).update(status=RunStatus.COMPLETED, finished_at=now())
    assert rounds.walk_once() == 1 and health(run).ended


def test_a_run_that_nobody_is_to_watch_is_not_found_by_the_round_either() -> None:
    run = begun(step("a", LONG), config={"monitoring_enabled": False})
    watched = begun(step("a", LONG), config={"monitoring_enabled": True})
    assert sweep.sweep(at_once=True).judged == 1
    RunHealth.objects.all().delete()
    assert rounds.walk_once() == 1 and health(watched).status == "healthy"
    assert not RunHealth.objects.filter(pk=run.pk).exists()


def test_nothing_is_watched_where_that_is_switched_off(settings: Settings) -> None:
    quiet = begun(step("a", BAD), config={"monitoring_enabled": False})
    assert not News.objects.exists()
    settings.WORKFLOW_MONITORING_ENABLED = False
    begun(step("a", BAD), saga_id="t")
    assert not News.objects.exists() and sweep.watch() is None and rounds.walk() is None
    assert not RunHealth.objects.exists() and quiet.status == RunStatus.ROLLED_BACK


@pytest.mark.parametrize("value", ["no", 1, None])
def test_monitoring_enabled_is_true_or_false(value: object) -> None:
    with pytest.raises(BadInput, match="monitoring_enabled"):
        start_run(
            definition={"saga_id": "s", "steps": [step("a", LONG)]}, actor=ADA, engine="celery",
            config={"monitoring_enabled": value},
        )  # fmt: skip


def test_a_batch_costs_a_fixed_number_of_queries() -> None:
    begun(step("a", BAD))
    with CaptureQueriesContext(connection) as one:
        sweep.sweep(at_once=True)
    for number in range(20):
        begun(step("a", BAD if number % 2 else LONG))
    with CaptureQueriesContext(connection) as many:
        sweep.sweep(at_once=True)
    assert len(many) <= len(one) + 12, (len(one), len(many))


def test_a_row_of_a_later_look_is_not_replaced_by_an_earlier_one() -> None:
    run = begun(step("a", LONG))
    sweep.sweep(at_once=True)
    RunHealth.objects.update(version=9, status="critical", look_at=now() - timedelta(seconds=1))
    sweep.sweep(at_once=True)
    assert health(run).status == "critical"


def test_a_parent_is_told_what_is_wrong_below_it() -> None:
    child = {"type": "saga", "definition": {"saga_id": "below", "steps": [step("b", LONG)]}}
    run = begun(step("kid", child))
    sweep.sweep(at_once=True)
    kid = run.children.get()
    assert health(run).status == "healthy"
    RunHealth.objects.filter(pk=kid.pk).update(look_at=now() - timedelta(seconds=1))
    Command.objects.filter(run=kid, kind="start_timer").update(due_at=now() - timedelta(seconds=100))
    sweep.sweep(at_once=True)
    assert codes(kid) == ["timer_overdue"]
    assert codes(run) == ["child_in_trouble"] and kid.workflow_id in health(run).issues[0]["sentence"]


def trivial(params: dict[str, Any], context: Any) -> dict[str, Any]:
    return {}


def test_what_is_usual_comes_from_undisturbed_successes(settings: Settings) -> None:
    quick = {"type": "task", "handler": "trivial"}
    settings.ZEN_TASKS = {"trivial": "tests.monitoring.watch.test_sweep.trivial"}
    begun(step("a", quick), saga_id="good")
    begun(step("a", BAD), saga_id="bad")
    sweep.sweep(at_once=True)
    known = {(one.saga_id, one.step_id): one.n for one in Norm.objects.all()}
    assert known == {("good", "a"): 1, ("good", ""): 1}


def test_a_saga_has_no_more_norms_than_its_share(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.watch.learn.MOST_OF_A_SAGA", 2)
    settings.ZEN_TASKS = {"fine": "tests.monitoring.watch.test_sweep.trivial"}
    begun(*(step(name, {"type": "task", "handler": "fine"}) for name in "abcd"), saga_id="wide")
    begun(step("a", {"type": "task", "handler": "fine"}), saga_id="small")
    sweep.sweep(at_once=True)
    assert Norm.objects.filter(saga_id="wide").exclude(step_id="").count() == 2
    assert set(Norm.objects.filter(step_id="").values_list("saga_id", flat=True)) == {"wide", "small"}
    assert Norm.objects.filter(saga_id="small", step_id="a").exists()


def test_the_least_recently_used_norms_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.watch.learn.MOST_NORMS", 3)
    for number in range(5):
        Norm.objects.create(saga_id=f"s{number}", updated_at=now() - timedelta(days=number))
    assert forget_old_norms() == 2 and MOST_NORMS == 20_000
    assert set(Norm.objects.values_list("saga_id", flat=True)) == {"s0", "s1", "s2"}


def test_one_watches_at_a_time_and_another_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    begun(step("a", LONG))
    assert sweep.watch() is not None
    monkeypatch.setattr(loops, "me", lambda: "another")
    Loop.objects.update(at=now() - timedelta(seconds=2))
    assert sweep.watch() is None  # it is still the first one's turn
    Loop.objects.update(until=now() - timedelta(seconds=1))
    assert sweep.watch() is not None
    assert Loop.objects.get(name="watch").holder == "another"


def test_one_that_retries_says_when(peer: Peer) -> None:
    peer.say("/things/a", 503)
    run = start(peer, "celery", contract_step("a", retry_count=1, backoff_seconds=60))
    lease.renew("w")
    work("w")
    sweep.sweep(at_once=True)
    said = health(run).issues[0]
    assert said["code"] == "retrying" and said["error_class"] == "http_5xx" and said["target"] == "127.0.0.1"
    assert said["sentence"].startswith("'a' failed 1 of 2 times (HTTP 503 from 127.0.0.1), next try at ")
    assert health(run).look_at is not None


def test_what_a_breaker_keeps_back_has_the_error_of_the_calls_that_failed_there(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "FAILURES", 1)
    circuit_breaker.reset()
    peer.say("/things/b", 503)
    lease.renew("w")
    failed = start(peer, "celery", contract_step("b", retry_count=0, compensation_action=None))
    work("w")
    kept = start(peer, "celery", contract_step("b", retry_count=3))
    work("w")
    sweep.sweep(at_once=True)
    circuit_breaker.reset()
    (issue,) = health(kept).issues
    assert issue["sentence"].startswith("'b' is kept back, since calls there keep failing (HTTP 503 from 127.0.0.1)")
    of_failed = health(failed).issues[0]
    for name in ("target", "error_class", "error_fp"):
        assert issue[name] == of_failed[name] != ""


@pytest.mark.only_on("postgresql")
def test_a_connection_lost_while_recovery_decides_ends_the_pass_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = begun(step("a", LONG))

    def cut(*_: object) -> None:
        connection.connection.close()
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(sweep, "decide", cut)
    with pytest.raises(OperationalError):
        sweep.sweep(at_once=True)
    monkeypatch.undo()
    connection.close()
    assert caplog.text == "" and not RunHealth.objects.filter(pk=run.pk).exists()
    assert sweep.sweep(at_once=True).judged == 1
