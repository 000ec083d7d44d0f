"""The health of a run is told in sentences with their numbers and bounds, and holds until the moment that it names."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.core.detectors import CODES, assess
from monitoring.core.enums import HealthStatus
from monitoring.core.facts import Attempt, Child, Gate, Ready, Recovered, RunFacts, Timer, Undelivered
from monitoring.core.health import AGAIN_MOST, Health
from monitoring.core.norms import Norms
from orchestration.core.enums import RunStatus
from tests.monitoring.core.cases import KNOWN, NOON, ago, ahead, any_facts, facts, trouble
from tests.support.examples import examples

NOTHING = Norms()
BUILD = Attempt(step_id="build", started_at=ago(30), worker="w1", worker_until=ahead(10), timeout_seconds=600)
CHILD = Child(workflow_id="ship-9", kind="saga", status=RunStatus.HELD)


def flying(seconds: float, **more: Any) -> Attempt:
    return dataclasses.replace(BUILD, started_at=ago(seconds), **more)


STUCK = trouble(blocked=True)
IN_VAIN = tuple(
    Recovered(policy_id="mend", action="retry", state="failed", number=n, of=3, steps=("pay",)) for n in (1, 2, 3)
)
WAITS = "mend has acted 20 times within the hour; next at 12:40:00"

CASES: list[tuple[str, str, RunFacts, str]] = [
    (
        "looping", "critical", facts(troubled=(STUCK,), held=True, recoveries=IN_VAIN),
        "recovery retried 'pay' 3 times and it fails each time (HTTP 503 from payments.local)",
    ),
    (
        "recovery_exhausted", "critical",
        facts(troubled=(STUCK,), held=True, recoveries=(Recovered(
            policy_id="mend", action="escalate", state="worked", exhausted=True),)),
        "recovery is at its end: mend has tried all that it may; a person decides",
    ),
    (
        "recovery_braked", "warning",
        facts(troubled=(STUCK,), held=True, recoveries=(Recovered(
            policy_id="mend", action="retry", state="decided", waits=WAITS, brake="policy"),)),
        f"recovery waits: {WAITS}",
    ),
    (
        "target_failing", "critical",
        facts(troubled=(STUCK,), held=True, storms=frozenset({"payments.local"})),
        ("many runs fail at once: 'pay' fails (HTTP 503 from payments.local); no recovery policy is at it"),
    ),
    (
        "step_blocks", "critical", facts(troubled=(trouble(blocked=True, pivot_passed=True),), held=True),
        ("step 'pay' failed after the pivot (HTTP 503 from payments.local); "
        "nothing moves until it is retried or skipped"),
    ),
    (
        "undo_failed", "critical",
        facts(troubled=(trouble("reserve", open_undo=True, undo_tried=6, http_status=500),)),
        "the undo of 'reserve' failed 6 times (HTTP 500 from payments.local); its effect still stands",
    ),
    (
        "outcome_unknown", "critical",
        facts(troubled=(trouble(status="unknown", blocked=True, http_status=None, error="no answer within 60 s"),)),
        ("nobody knows whether 'pay' was done (no answer within 60 s): it has no probe; "
        "nothing moves until somebody says"),
    ),
    (
        "retrying", "warning", facts(troubled=(trouble(status="backing_off", tried=3, most=5, next_at=ahead(250)),)),
        "'pay' failed 3 of 5 times (HTTP 503 from payments.local), next try at 2026-11-27 12:04:10 UTC",
    ),
    (
        "machinery_failed", "critical", facts(machinery=(("pay", "5 workers were lost over it"),)),
        "our machinery could not finish 'pay': 5 workers were lost over it",
    ),
    (
        "slow_step", "warning", facts(in_flight=(flying(14 * 60, timeout_seconds=None),)),
        "'build' runs for 14 min; 95 of 100 took less than 4 min",
    ),
    (
        "slow_step", "critical", facts(in_flight=(flying(41 * 60, timeout_seconds=None),)),
        "'build' runs for 41 min; 95 of 100 took less than 4 min",
    ),
    (
        "overdue_step", "critical", facts(in_flight=(flying(700),)),
        "'build' should have been cut off at 10 min and still runs on w1: its thread hangs",
    ),
    (
        "worker_lost", "warning", facts(in_flight=(flying(5, worker_until=None),)),
        "the worker over 'build' is gone (w1); another takes it up within seconds",
    ),
    (
        "not_taken", "warning", facts(ready=(Ready(step_id="pay", due_at=ago(40)),)),
        "'pay' is ready for 40 s and all 8 threads are busy",
    ),
    (
        "not_taken", "critical", facts(ready=(Ready(step_id="pay", due_at=ago(400), queue="gpu"),)),
        "'pay' is ready for 6 min and no celery worker serves the queue 'gpu'",
    ),
    (
        "timer_overdue", "critical", facts(timers=(Timer(kind="wait", due_at=ago(130), step_id="cool"),)),
        "the wait of 'cool' ended 2 min ago and its timer has not fired",
    ),
    (
        "not_handed_over", "critical", facts(handed_over=False, engine="temporal", created_at=ago(40)),
        "temporal has not taken the run for 40 s (its server does not answer)",
    ),
    (
        "act_undelivered", "warning", facts(undelivered=(Undelivered(what="abort", since=ago(125), by="ada"),)),
        "ada's abort is stored for 2 min and not delivered",
    ),
    (
        "gate_waits", "warning",
        facts(gates=(Gate(request_id="r", opened_at=ago(3 * 3600), expires_at=ahead(3600), whom="bob, carol"),)),
        "waits 3 h for a yes by bob, carol; rejected at 2026-11-27 13:00:00 UTC",
    ),
    (
        "child_in_trouble", "critical",
        facts(children=(dataclasses.replace(CHILD, worst="critical", sentence="step 'label' failed"),)),
        "child run 'ship-9': step 'label' failed",
    ),
    (
        "held_long", "warning", facts(held=True, held_by="ada", held_since=ago(26 * 3600), hold_reason="wrong price"),
        'held by ada for 26 h: "wrong price"',
    ),
    (
        "stalled", "critical", facts(last_fact_at=ago(21 * 60)),
        "nothing has happened for 21 min and nothing is waited for: this should not be possible",
    ),
    (
        "overlong", "warning", facts(started_at=ago(3 * 3600), in_flight=(flying(5),)),
        "runs for 3 h; 95 of 100 took less than 20 min",
    ),
    (
        "overlong", "warning", facts(started_at=ago(3 * 3600), forecast_until=ago(60), in_flight=(flying(5),)),
        "runs for 3 h: more than a fifth longer than its estimate",
    ),
    (
        "deadline_near", "warning", facts(started_at=ago(600), deadline=ahead(60), to_do=4, in_flight=(flying(5),)),
        "will miss its deadline at 2026-11-27 12:01:00 UTC by about 9 min",
    ),
    (
        "error_rate_high", "critical", facts(ended_attempts=10, failed_attempts=6, commonest_error="HTTP 503 from a.b"),
        "6 of 10 attempts failed, most with HTTP 503 from a.b",
    ),
    (
        "looping", "critical", facts(troubled=(trouble(blocked=True, iterations=5),)),
        "'pay' was begun 5 times and failed again (HTTP 503 from payments.local)",
    ),
    (
        "near_limit", "warning", facts(history=36_000, history_most=51_200),
        "36,000 of 51,200 events: the run ends at the limit",
    ),
    (
        "near_limit", "warning", facts(depth=6, depth_most=8),
        "6 of 8 levels of child sagas: a deeper one is refused",
    ),
    (
        "near_limit", "critical", facts(depth=8, depth_most=8),
        "8 of 8 levels of child sagas: a deeper one is refused",
    ),
    (
        "engine_away", "unknown", facts(engine="temporal", engine_away_since=ago(57), engine_error="refused"),
        "Temporal does not answer since 2026-11-27 11:59:03 UTC (refused); what the run does is not known",
    ),
    (
        "workflow_lost", "critical", facts(engine="temporal", lost_workflow=True),
        "Temporal knows no workflow 'order-17' any more",
    ),
    (
        "ended_failed", "warning",
        facts(status=RunStatus.ROLLED_BACK, cause="failure", troubled=(trouble(http_status=402),)),
        "rolled back: step 'pay' failed (HTTP 402 from payments.local)",
    ),
    (
        "ended_incomplete", "critical",
        facts(status=RunStatus.ROLLBACK_INCOMPLETE, warnings=("step 'ship' ran and has no compensation: it stands",)),
        "rolled back in part: step 'ship' ran and has no compensation: it stands",
    ),
    (
        "completed_with_warnings", "warning",
        facts(status=RunStatus.COMPLETED, warnings=("step 'mail' is failed, and the run went on without it",)),
        "completed with warnings: step 'mail' is failed, and the run went on without it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("code", "severity", "known", "sentence"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_each_trouble_is_told(code: str, severity: str, known: RunFacts, sentence: str) -> None:
    found = assess(known, KNOWN)
    told = {issue.code: issue for issue in found.issues}
    assert code in told, found.issues
    assert (told[code].sentence, told[code].severity) == (sentence, severity)
    assert found.status == max((issue.severity for issue in found.issues), key=lambda one: one.rank)


def test_every_kind_of_trouble_is_tried() -> None:
    assert {code for code, *_ in CASES} == set(CODES)


@pytest.mark.parametrize(
    "known",
    [
        facts(in_flight=(BUILD,)),
        facts(timers=(Timer(kind="wait", due_at=ahead(86_400)),), last_fact_at=ago(86_400)),
        facts(gates=(Gate(request_id="r", opened_at=ago(60), expires_at=ahead(86_400)),)),
        facts(ready=(Ready(step_id="pay", due_at=ago(2)),)),
        facts(status=RunStatus.COMPLETED, finished_at=ago(1)),
        facts(in_flight=(flying(3600, child=True),)),
        facts(troubled=(trouble(status="backing_off", tried=1, most=5, next_at=ahead(2)),)),
        facts(held=True, held_by="ada", held_since=ago(60)),
    ],
)
def test_what_goes_its_way_is_healthy(known: RunFacts) -> None:
    found = assess(known, NOTHING)
    assert (found.status, found.issues) == (HealthStatus.HEALTHY, ())


def test_a_run_that_has_ended_is_looked_at_no_more() -> None:
    for status in (one for one in RunStatus if one.is_end):
        assert assess(facts(status=status, finished_at=ago(5)), KNOWN).look_at is None


def test_what_mends_itself_is_looked_at_again_soon_and_ever_less_often() -> None:
    new = assess(facts(ready=(Ready(step_id="pay", due_at=ago(20)),)), NOTHING)
    old = assess(facts(ready=(Ready(step_id="pay", due_at=ago(90_000)),)), NOTHING)
    assert new.look_at == ahead(15) and old.look_at == NOON + AGAIN_MOST


def verdict(health: Health) -> tuple[HealthStatus, list[tuple[str, HealthStatus, str]]]:
    return health.status, sorted((issue.code, issue.severity, issue.step_id) for issue in health.issues)


@examples(300)
@given(any_facts, st.lists(st.floats(0, 0.999), min_size=5, max_size=20))
def test_the_next_look_is_never_later_than_the_first_change(known: RunFacts, shares: list[float]) -> None:
    """As long as nothing happens, the verdict changes at `look_at` at the earliest, and without one never."""
    now = assess(known, KNOWN)
    length = (now.look_at or known.now + timedelta(days=30)) - known.now
    for share in (*shares, 0.9999):
        moment = known.now + share * length
        assert verdict(assess(dataclasses.replace(known, now=moment), KNOWN)) == verdict(now), moment


@examples(300)
@given(any_facts)
def test_the_same_facts_give_the_same_answer_and_every_sentence_says_something(known: RunFacts) -> None:
    found = assess(known, KNOWN)
    assert found == assess(known, KNOWN)
    assert all(issue.sentence and issue.code in CODES and issue.since <= known.now for issue in found.issues)


def test_a_project_with_an_estimate_is_judged_by_that_alone() -> None:
    slow = facts(started_at=ago(3 * 3600), in_flight=(flying(5),))
    within = dataclasses.replace(slow, forecast_until=ahead(60))
    assert "overlong" in {one.code for one in assess(slow, KNOWN).issues}
    assert "overlong" not in {one.code for one in assess(within, KNOWN).issues}
