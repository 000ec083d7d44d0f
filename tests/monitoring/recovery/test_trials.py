"""A policy is tried before it is published: on the open runs, and on those that have ended, in small portions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from foundation.clock import now
from foundation.errors import BadInput, NotAllowed, NotFound
from monitoring.core.detectors import assess
from monitoring.core.metrics import metrics
from monitoring.core.norms import Norms
from monitoring.core.policy import RecoveryPolicy
from monitoring.core.replay.facts_at import facts_at
from monitoring.core.replay.history import UNSEEN_CODES
from monitoring.models import Job, RecoverySwitch
from monitoring.trials import jobs, members
from monitoring.trials.histories import histories
from monitoring.watch import sweep
from monitoring.watch.judge import judge
from orchestration.core.enums import Verb
from orchestration.models import Command, Run
from orchestration.runs import act
from orchestration.workers.celery import timers
from orchestration.workers.celery.worker import work
from tests.monitoring.recovery.test_policies import EVE, policy
from tests.monitoring.watch.test_sweep import BAD, LONG, begun, step
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True)]
BLOCKS = {"issue": {"==": "step_blocks"}}
PIVOT: dict[str, Any] = {"type": "wait", "seconds": 0.01}


def blocked(**more: Any) -> Run:
    """A run whose second step fails after the pivot."""
    run = begun(step("p", PIVOT, pivot=True), step("a", BAD, dependencies=["p"], **more))
    Command.objects.filter(kind="start_timer").update(due_at=now() - timedelta(seconds=1))
    timers.fire("w")
    work("w")
    run.refresh_from_db()
    return run


def skipped(run: Run) -> Run:
    act(workflow_id=run.workflow_id, verb=Verb.SKIP, actor=ADA, step_id="a", note="-")
    work("w")
    run.refresh_from_db()
    return run


def done(job: Job) -> dict[str, Any]:
    found = jobs.done_now(job)
    assert found.state == Job.DONE, found.error
    assert found.results is not None
    return dict(found.results)


def backtest(given: RecoveryPolicy, **more: Any) -> dict[str, Any]:
    return done(jobs.ask_back_test(given, actor=ADA, **more))


@pytest.mark.parametrize(
    "make",
    [
        lambda: blocked(),
        lambda: skipped(blocked()),
        lambda: begun(step("a", BAD)),
        lambda: begun(step("a", BAD, retry_count=3), step("b", LONG)),
        lambda: begun(step("a", BAD, critical=False, default_output={}), step("b", LONG)),
    ],
    ids=["blocked", "skipped", "rolled back", "failed at once", "passed over"],
)
def test_the_facts_of_a_log_are_those_that_the_watch_reads(make: Any) -> None:
    run = make()
    (live,) = judge([run.pk], {}, every_figure=True)
    ((_, history),) = histories([run.pk])
    assert history is not None
    facts = facts_at(history, live.facts.now)
    health = assess(facts, Norms())
    assert [(issue.code, issue.step_id) for issue in health.issues] == [
        (issue.code, issue.step_id) for issue in live.health.issues if issue.code not in UNSEEN_CODES
    ]
    replayed = metrics(facts, health, Norms()).values
    assert facts.pivot_passed == live.facts.pivot_passed and facts.held == live.facts.held
    for name, value in live.metrics.values.items():
        if name in ("health", "issue", "target") and any(one.code in UNSEEN_CODES for one in live.health.issues):
            continue
        wanted = pytest.approx(value, abs=1e-3) if isinstance(value, float) else value
        assert replayed[name] == wanted, name


def test_a_back_test_tells_what_would_have_been_done_and_what_became_of_it() -> None:
    skipped(blocked())
    begun(step("a", BAD))
    blocked()  # open: no part of it
    found = backtest(policy("draft", conditions=BLOCKS))
    assert (found["of"], found["matched"], found["would_have_acted"], found["recovered_by_itself"]) == (2, 1, 1, 0)
    assert found["by_action"] == {"retry": 1} and found["unseen"] == []
    (example,) = found["examples"]
    assert example["action"] == "retry" and example["ended"] == "completed" and example["why"][0]["holds"] is True
    other = backtest(policy("draft", conditions=BLOCKS, workflow_types=["saga:other"]))
    assert other["of"] == 0
    Run.objects.exclude(finished_at=None).update(finished_at=now() - timedelta(days=3))
    assert backtest(policy("draft", conditions=BLOCKS), days=1)["of"] == 0


def test_a_back_test_goes_on_where_it_was_left_and_looks_at_each_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.trials.back_test.AT_ONCE", 2)
    monkeypatch.setattr("monitoring.trials.jobs.WORKS_FOR", 0.0)
    for _ in range(5):
        begun(step("a", BAD))
    job = jobs.ask_back_test(policy("draft", conditions={"status": {"==": "rolled_back"}}), actor=ADA)
    assert job.of == 5
    monkeypatch.setattr("monitoring.trials.jobs.WORKS_FOR", 1e-9)
    seen = []
    for _ in range(10):
        jobs.perform_some()
        job.refresh_from_db()
        seen.append(job.done)
    assert job.state == Job.OPEN  # no time at all was given to it
    monkeypatch.setattr("monitoring.trials.jobs.WORKS_FOR", 5.0)
    assert jobs.perform_some()
    job.refresh_from_db()
    assert (job.state, job.done) == (Job.DONE, 5) and job.results is not None and job.results["matched"] == 5
    assert not jobs.perform_some()


@pytest.mark.both_databases
def test_a_job_that_somebody_is_at_is_left_alone_until_its_lease_is_over() -> None:
    job = jobs.ask_back_test(policy("draft"), actor=ADA)
    Job.objects.update(lease_until=now() + timedelta(seconds=20))
    assert not jobs.perform_some()
    Job.objects.update(lease_until=now() - timedelta(seconds=1))
    assert jobs.perform_some()
    job.refresh_from_db()
    assert job.state == Job.DONE and job.work == {}


def test_a_dry_run_tells_what_would_be_done_now() -> None:
    stuck, fine = blocked(), begun(step("a", LONG))
    sweep.sweep(at_once=True)
    given = policy("draft", conditions=BLOCKS, recovery_actions=["rollback", "retry"], needs_approval=["retry"])
    found = done(jobs.ask_dry_run(given, actor=ADA))
    assert (found["of"], found["matched"]) == (2, 1)
    (one,) = found["runs"]
    assert (one["workflow_id"], one["action"], one["rung"]) == (stuck.workflow_id, "retry", 3)
    assert one["needs_approval"] and one["approval_policy"] == "standard" and one["waits"] is None
    assert one["why"][0]["holds"] is True
    RecoverySwitch.objects.create(stopped_by="ada", stopped_at=now())
    (braked,) = done(jobs.ask_dry_run(given, actor=ADA))["runs"]
    assert braked["waits"] == "recovery is stopped by ada"
    skip = done(jobs.ask_dry_run(policy("draft", conditions=BLOCKS, recovery_actions=["skip"]), actor=ADA))
    assert skip["runs"][0]["action"] is None and "critical" in skip["runs"][0]["refusal"]
    calm = done(jobs.ask_dry_run(policy("draft", conditions={"health": {"==": "healthy"}}), actor=ADA))
    assert [row["workflow_id"] for row in calm["runs"]] == [fine.workflow_id]


def test_only_whoever_manages_recovery_asks_and_within_bounds() -> None:
    with pytest.raises(NotAllowed):
        jobs.ask_dry_run(policy("draft"), actor=EVE)
    with pytest.raises(NotAllowed):
        jobs.ask_back_test(policy("draft"), actor=EVE)
    wrong: list[Any] = [0, 401, True, 1.5]
    for days in wrong:
        with pytest.raises(BadInput) as refused:
            jobs.ask_back_test(policy("draft"), actor=ADA, days=days)
        assert refused.value.field == "days"
    assert not Job.objects.exists()
    for _ in range(members.MOST_OPEN):
        jobs.ask_dry_run(policy("draft"), actor=ADA)
    with pytest.raises(BadInput):
        jobs.ask_dry_run(policy("draft"), actor=ADA)
    with pytest.raises(NotFound):
        jobs.job_by_id(0)


def test_a_job_that_breaks_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(job: Job) -> None:
        raise ValueError("the log is odd")

    monkeypatch.setitem(jobs.PORTIONS, Job.BACK, broken)
    found = jobs.done_now(jobs.ask_back_test(policy("draft"), actor=ADA))
    assert (found.state, found.error) == (Job.FAILED, "ValueError: the log is odd")


def test_a_job_goes_on_after_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    job, portion, cut = jobs.ask_back_test(policy("draft"), actor=ADA), jobs.PORTIONS[Job.BACK], [True]

    def cut_once(job: Job) -> None:
        if cut and cut.pop():
            raise OperationalError("database is locked")
        portion(job)

    monkeypatch.setitem(jobs.PORTIONS, Job.BACK, cut_once)
    with pytest.raises(OperationalError):
        jobs.perform_some()
    Job.objects.update(lease_until=now() - timedelta(seconds=1))
    assert jobs.perform_some()
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.DONE, "")
