"""A back-test decides what live would have decided: at the same moment, the same action, from the log alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitoring.core.enums import RecoveryAction
from monitoring.core.matching import Armed, arm, due
from monitoring.core.norms import Norms
from monitoring.core.replay.deciding import Decision, decide, look_at, next_step
from monitoring.core.replay.facts_at import facts_at
from monitoring.core.replay.history import Entry, History, Rang, StepPlan, Tried
from monitoring.core.replay.summary import add, nothing, told, unseen
from orchestration.core.enums import RunStatus
from tests.monitoring.core.cases import NOON, ago
from tests.monitoring.core.test_policy import policy
from tests.support.examples import examples

BLOCKED = {"issue": {"==": "step_blocks"}, "error_class": {"in": ["http_5xx"]}}
START = ago(0)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def entry(seconds: float, kind: str, step_id: str = "", **data: Any) -> Entry:
    return Entry(at=at(seconds), kind=kind, step_id=step_id, data=data)


def tried(begin: float, end: float, step_id: str = "pay", outcome: str = "failed", **more: Any) -> Tried:
    error = {"error": "POST http://payments.local/pay: 503", "http_status": 503, "host": "payments.local"}
    known = error if outcome != "succeeded" else {}
    return Tried(step_id=step_id, started_at=at(begin), ended_at=at(end), outcome=outcome, **{**known, **more})


def history(entries: list[Entry], *attempts: Tried, **more: Any) -> History:
    given: dict[str, Any] = {
        "run_id": 1, "workflow_id": "order-17", "saga_id": "order", "created_at": START,
        "plan": {"pivot": StepPlan(pivot=True), "pay": StepPlan(most=3, asks=True), "mail": StepPlan(critical=False)},
    }  # fmt: skip
    return History(**{**given, **more}, entries=tuple(entries), tried=attempts)


def blocking(seconds: float, ends: str = "completed", by: str = "") -> History:
    """'pay' fails after the pivot at 20 s, and goes on after so many seconds more."""
    back = 20 + seconds
    return history(
        [
            entry(0, "run.started"), entry(0, "step.running", "pivot", attempt=1),
            entry(10, "step.succeeded", "pivot", attempt=1), entry(10, "step.running", "pay", attempt=1),
            entry(20, "step.attempt_ended", "pay", attempt=1, outcome="failed"),
            entry(20, "step.failed", "pay", attempt=1), entry(20, "run.held", reason="pay failed"),
            *([entry(back, "act.retry", "pay", by=by)] if by else []),
            entry(back, "step.running", "pay", attempt=2), entry(back, "run.running"),
            entry(back + 5, "step.succeeded", "pay", attempt=2), entry(back + 5, f"run.{ends}"),
        ],
        tried(0, 10, "pivot", "succeeded"), tried(10, 20), tried(back, back + 5, outcome="succeeded"),
    )  # fmt: skip


def decided(known: History, until: float = 100_000, **more: Any) -> Decision:
    given = {"workflow_types": ["saga"], "conditions": BLOCKED, **more}
    return decide(known, arm(policy(**given)), Norms(), at(until))


def test_facts_of_the_past_are_those_of_then() -> None:
    known = blocking(600)
    then = facts_at(known, at(15))
    assert (then.status, then.troubled, then.counted and then.counted.attempts) == (RunStatus.RUNNING, (), 2)
    assert [one.step_id for one in then.in_flight] == ["pay"]
    then = facts_at(known, at(300))
    assert then.status is RunStatus.HELD and then.held and then.pivot_passed and then.state_since == at(20)
    (step,) = then.troubled
    assert (step.blocked, step.http_status, step.host, step.since) == (True, 503, "payments.local", at(20))
    assert then.counted is not None and (then.counted.ended, then.counted.failed, then.counted.retries) == (2, 1, 0)
    assert facts_at(known, at(700)).status is RunStatus.COMPLETED


def test_a_run_that_blocks_is_acted_on_at_once_or_after_the_hold_off() -> None:
    found = decided(blocking(600, by="ada"))
    assert (found.at, found.action, found.recovered) == (at(20), RecoveryAction.RETRY, None)
    held_off = decided(blocking(600, by="ada"), hold_off_seconds=120)
    assert held_off.at == at(140) and held_off.matched == at(20)
    assert decided(blocking(60, by="ada"), hold_off_seconds=120).at is None


def test_what_recovers_without_help_is_told_with_its_seconds() -> None:
    found = decided(blocking(600))
    assert found.recovered == 600 and found.ended is RunStatus.COMPLETED
    assert decided(blocking(600, by="ada")).recovered is None
    assert decided(blocking(600, ends="rolled_back")).recovered is None


def test_what_is_not_legal_is_refused_with_its_reason() -> None:
    found = decided(blocking(600), recovery_actions=["rollback", "escalate"])
    assert found.action is None and found.told and "passed its pivot" in found.refusal


def test_a_threshold_between_two_entries_is_found() -> None:
    slow = history([entry(0, "run.started"), entry(0, "step.running", "pay", attempt=1), entry(9000, "run.completed")],
                   tried(0, 9000, outcome="succeeded"))  # fmt: skip
    found = decided(slow, conditions={"execution_time_hours": {">=": 2}}, recovery_actions=["pause"])
    assert found.at is not None and 0 <= (found.at - at(7200)).total_seconds() < 1
    assert found.action is RecoveryAction.PAUSE and found.recovered is not None and 1799 <= found.recovered <= 1800
    assert decided(slow, conditions={"execution_time_hours": {">=": 3}}, recovery_actions=["pause"]).matched is None


def test_a_timer_that_did_not_ring_is_seen() -> None:
    waits = history(
        [entry(0, "run.started"), entry(0, "step.running", "pay", attempt=1), entry(0, "run.waiting"),
         entry(500, "timer.wait", "pay"), entry(500, "run.completed")],
        timers=(Rang(kind="wait", due_at=at(60), step_id="pay", ended_at=at(500)),),
    )  # fmt: skip
    found = decided(waits, conditions={"issue": {"==": "timer_overdue"}}, recovery_actions=["wake"])
    assert found.at is not None and 90 <= (found.at - START).total_seconds() < 91


def test_many_runs_are_added_up() -> None:
    totals = nothing()
    for number in range(30):
        add(totals, f"r-{number}", decided(blocking(600 if number % 3 else 60, by="" if number % 2 else "ada")))
    armed = arm(policy(conditions=BLOCKED, max_per_hour=10))
    found = told(totals, armed)
    assert (found["of"], found["matched"], found["would_have_acted"], found["recovered_by_itself"]) == (30, 30, 30, 15)
    assert found["by_action"] == {"retry": 30} and found["median_seconds_to_recover"] == 600
    assert found["put_off"] == 20 and len(found["examples"]) == 20
    assert unseen(arm(policy(conditions={"issue": {"in": ["stalled", "step_blocks"]}, "open_children": {">": 0}}))) == [
        "open_children", "stalled",
    ]  # fmt: skip


# --- back-test = live ----------------------------------------------------------------------------------------------

KINDS = (
    ("step.running", "pay"), ("step.failed", "pay"), ("step.unknown", "pay"), ("step.succeeded", "pay"),
    ("step.backing_off", "pay"), ("step.succeeded", "pivot"), ("step.failed", "mail"), ("run.held", ""),
    ("run.running", ""), ("run.compensating", ""), ("undo.compensating", "pivot"),
    ("undo.compensation_failed", "pivot"),
    ("run.needs_attention", ""), ("act.hold", ""), ("act.release", ""), ("act.retry", "pay"),
)  # fmt: skip
STEPS = st.tuples(st.integers(1, 25), st.sampled_from(KINDS))


@st.composite
def histories(draw: st.DrawFn) -> History:
    entries, attempts, now = [entry(0, "run.started")], [], 0
    for gap, (kind, step_id) in draw(st.lists(STEPS, max_size=5)):
        now += gap
        entries.append(entry(now, kind, step_id, attempt=1, by="ada"))
        if kind == "step.failed" and step_id == "pay":
            attempts.append(tried(now - gap, now))
    end = draw(st.sampled_from(["completed", "rolled_back", "force_stopped"]))
    return history([*entries, entry(now + draw(st.integers(1, 60)), f"run.{end}")], *attempts)


POLICIES = st.builds(
    lambda conditions, actions, hold_off: policy(
        workflow_types=["saga"], conditions=conditions, recovery_actions=actions, hold_off_seconds=hold_off
    ),
    st.sampled_from(
        [
            BLOCKED, {"execution_time_seconds": {">": 30}}, {"idle_seconds": {">=": 10}, "status": {"!=": "completed"}},
            {"not": {"health": {"==": "healthy"}}}, {"any": [{"state_seconds": {">": 20}}, {"attempts": {">=": 2}}]},
            {"failed_steps": {">=": 1}, "idle_seconds": {"<": 5}}, {"error_rate": {">=": 0.5}},
        ]
    ),
    st.sampled_from([["retry", "escalate"], ["rollback"], ["pause", "cancel"], ["restart"], ["wake"], ["notify"]]),
    st.sampled_from([0, 7, 30]),
)  # fmt: skip


def live(known: History, armed: Armed, until: datetime) -> tuple[datetime, RecoveryAction] | None:
    """A watch that looks all the time: at each second, and when what the clock moves has just passed one."""
    since: datetime | None = None
    second = known.entries[0].at
    while second < until:
        for now in (second, second + timedelta(microseconds=2)):
            look, _ = look_at(facts_at(known, now), armed, Norms(), since)
            since = look.since
            if since is not None and due([armed], {armed.policy_id: since}, now):
                action = next_step(armed, look.facts).action
                if action is not None:
                    return now, action
        second += timedelta(seconds=1)
    return None


@examples(60)
@given(known=histories(), given_policy=POLICIES)
def test_a_back_test_decides_what_live_would_have_decided(known: History, given_policy: Any) -> None:
    armed, until = arm(given_policy), NOON + timedelta(seconds=150)
    found, wanted = decide(known, armed, Norms(), until), live(known, armed, until)
    assert found.action is (wanted[1] if wanted else None)
    assert wanted is None or (found.at is not None and abs((wanted[0] - found.at).total_seconds()) < 0.001)
