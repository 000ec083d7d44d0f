"""Runs in trouble on the own engine, and passes of the watch and of recovery over them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q

from foundation.clock import now
from foundation.identity.actor import CONSOLE_ROLES, Actor
from monitoring.core.enums import RecoveryAction
from monitoring.core.policy import RecoveryPolicy
from monitoring.models import PolicyVersion, RecoveryAttempt
from monitoring.performing.tick import recover
from monitoring.recovery.policies import policies
from monitoring.recovery.publishing import publish
from monitoring.watch import sweep
from orchestration.models import Command, Run
from orchestration.runs import start_run
from orchestration.workers import lease
from orchestration.workers.celery import timers
from orchestration.workers.celery.worker import work
from tests.support.peer import Peer
from tests.system.contract.sagas import ADA, step

ADMIN = Actor(name="ann", door="python", roles=CONSOLE_ROLES)


def policy(*actions: RecoveryAction, conditions: dict[str, Any] | None = None, **more: Any) -> RecoveryPolicy:
    """A policy that retries what blocks, unless told otherwise; it is the only one in force."""
    policies()  # those that come with Zen are made once
    PolicyVersion.objects.filter(current=True).update(current=False)
    given: dict[str, Any] = {
        "policy_id": "mend", "name": "Mend", "workflow_types": ["*"],
        "conditions": conditions or {"issue": {"in": ["step_blocks", "undo_failed"]}},
        "recovery_actions": list(actions or (RecoveryAction.RETRY,)), "cooldown_seconds": 1, "needs_approval": [],
    }  # fmt: skip
    found = RecoveryPolicy(**{**given, **more})
    publish(found, actor=ADMIN)
    return found


def go_on() -> None:
    """Let the own engine do what there is to do."""
    lease.renew("w")
    timers.fire("w")
    work("w")


def blocked(peer: Peer, status: int = 503, *, name: str = "b", saga_id: str = "contract", **more: Any) -> Run:
    """A run whose step after the pivot is answered with `status`, and blocks."""
    peer.say(f"/things/{name}", status)
    run, _ = start_run(
        definition={
            "saga_id": saga_id, "context": {"base": peer.url},
            "steps": [step("a", pivot=True), step(name, retry_count=0)], **more,
        },
        actor=ADA, engine="celery",
    )  # fmt: skip
    go_on()
    run.refresh_from_db()
    assert run.status == "held"
    return run


def undo_failed(peer: Peer) -> Run:
    """A run that rolled back but for one step, whose undo is answered with a 500."""
    peer.say("/undo/a", 500)
    peer.say("/things/b", 402)
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/undo/a"}
    steps = [step("a", compensation_action=undo, compensation_retry_count=0), step("b")]
    run, _ = start_run(
        definition={"saga_id": "contract", "context": {"base": peer.url}, "steps": steps}, actor=ADA, engine="celery"
    )
    go_on()
    run.refresh_from_db()
    assert run.status == "needs_attention"
    return run


def watch() -> None:
    """A pass of the watch."""
    sweep.sweep(at_once=True)


def tick() -> int:
    """A pass of recovery, and what the engine does because of it."""
    RecoveryAttempt.objects.filter(Q(state="watching") | Q(brake="cooldown")).update(
        lease_until=now() - timedelta(seconds=1)
    )
    done = recover()
    go_on()
    return done


def on(rounds: int = 3) -> None:
    """The watch, recovery and the engine in turn, a few times."""
    for _ in range(rounds):
        watch()
        tick()
    watch()


def attempts(run: Run) -> list[tuple[str, str, int]]:
    """(action, state, number) in order."""
    return list(RecoveryAttempt.objects.filter(run=run).order_by("pk").values_list("action", "state", "number"))


def calls(run: Run, step_id: str = "b") -> int:
    """How often a step was tried."""
    return Command.objects.filter(run=run, kind="run_action", step_id=step_id).count()
