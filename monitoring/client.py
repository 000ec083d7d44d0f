"""The public functions by which Python code asks how runs do.

All are coroutines; database work runs in a thread (`sync_to_async`). They act as `python`, an administrator without an
account (`orchestration.sagas.PYTHON`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings

from foundation.errors import BadInput
from foundation.guarded import guarded
from foundation.identity import permissions
from monitoring.alerting import acts
from monitoring.core.enums import HealthStatus, RecoveryAction
from monitoring.core.policy import RecoveryPolicy
from monitoring.dashboard import dashboard
from monitoring.health_check import HealthCheck, check_health
from monitoring.logs import workflow_logs
from monitoring.performing.by_hand import trigger
from monitoring.performing.result import RecoveryResult
from monitoring.performing.tick import recover
from monitoring.queries.alerts import alert_view, alerts
from monitoring.recovery import publishing
from monitoring.recovery.policies import policies, policy_in
from monitoring.run_dashboard import run_dashboard
from monitoring.trials import jobs
from monitoring.watch import round as rounds
from monitoring.watch import site, sweep
from monitoring.watch.seldom import heartbeat, sagas, workflows
from orchestration.sagas import PYTHON

__all__ = [
    "HealthCheck",
    "HealthStatus",
    "RecoveryAction",
    "RecoveryPolicy",
    "RecoveryResult",
    "WorkflowMonitor",
    "get_workflow_monitor",
]

log = logging.getLogger("workflows")
SECONDS = 1.0


class WorkflowMonitor:
    """Watches runs and says how they do. One a process: `get_workflow_monitor`."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    async def start_monitoring(self) -> bool:
        """Watch from this loop as a worker does, until `stop_monitoring`. True if it watches, now or already.

        False, with a line in the log, where WORKFLOW_MONITORING_ENABLED is off.
        """
        if not settings.WORKFLOW_MONITORING_ENABLED:
            log.warning("monitoring is off (WORKFLOW_MONITORING_ENABLED)")
            return False
        if self._task is None or self._task.done():
            self._stop = asyncio.Event()
            self._task = asyncio.create_task(self._watch(), name="monitoring")
        return True

    async def stop_monitoring(self) -> None:
        """Stop watching from this loop, once the pass in hand is over. Workers go on."""
        self._stop.set()
        if self._task is not None:
            await self._task
            self._task = None

    async def perform_health_check(self, workflow_id: str) -> HealthCheck:
        """How the run `workflow_id` does at this moment.

        Raises:
            NotFound: there is no such run.
        """
        return await sync_to_async(check_health)(workflow_id, PYTHON)

    async def get_alerts(self, **filters: str) -> list[dict[str, Any]]:
        """The alerts that are firing, the worst first; 200 at most.

        `filters`: state (firing, resolved, or '' for all), severity, rule, target, saga_id.

        Raises:
            BadInput: an unknown filter.
        """
        return await sync_to_async(_alerts)(filters)

    async def acknowledge_alert(self, alert_id: int, by: str, note: str = "") -> dict[str, Any]:
        """Say that the account `by` is on it, with a `note`; returns the alert `alert_id`.

        Raises:
            BadInput: there is no such account.
            NotFound: there is no such alert.
            NotAllowed: the account may not act on alerts.
            WrongState: it is resolved.
        """
        return await sync_to_async(_acknowledge)(alert_id, by, note)

    async def add_recovery_policy(self, policy: RecoveryPolicy) -> RecoveryPolicy:
        """Put `policy` in force, in place of the one with its policy_id; returns it as it is now.

        Raises:
            BadInput: a name of a channel that cannot be, or more than 100 policies.
        """
        return await sync_to_async(_add_policy)(policy)

    async def list_recovery_policies(self) -> list[RecoveryPolicy]:
        """The policies that are in force, and those that are switched off; by priority."""
        return await sync_to_async(_policies)()

    async def remove_recovery_policy(self, policy_id: str) -> None:
        """Put the policy `policy_id` out of force; what it has done stays on record.

        Raises:
            NotFound: there is no such policy.
        """
        await sync_to_async(publishing.remove)(policy_id, actor=PYTHON)

    async def trigger_recovery(
        self, workflow_id: str, recovery_reason: str, recovery_action: RecoveryAction | str | None = None, *,
        step_id: str = "", note: str = "",
    ) -> RecoveryResult:  # fmt: skip
        """Do an action of recovery on the run `workflow_id` now; None: what its health recommends first.

        It needs no approval and no budget, and is watched as a policy's is. What is not legal now changes nothing:
        `success` is False then, and `message` says why. `recovery_reason`, `note`: kept in the audit. `step_id`: only
        this step, of those that the action fits.

        Raises:
            NotFound: there is no such run.
            BadInput: no reason, an unknown action or step.
        """
        return await sync_to_async(trigger)(
            workflow_id, recovery_reason, recovery_action, actor=PYTHON, step_id=step_id, note=note
        )

    async def get_workflow_dashboard_data(self, workflow_id: str = "") -> dict[str, Any]:
        """The whole site in figures; of the run `workflow_id` its figures and health (docs/reference/monitoring.md).

        Raises:
            NotFound: there is no such run.
        """
        if not workflow_id:
            return await sync_to_async(dashboard)()
        return await sync_to_async(run_dashboard)(workflow_id, PYTHON)

    async def get_workflow_logs(
        self, workflow_id: str, *, step_id: str = "", level: str = "", after: str = "", limit: int = 1000
    ) -> list[dict[str, Any]]:
        """The log of the run `workflow_id`, the earlier entries first (docs/reference/api.md).

        It has events, ends of attempts, lines of handlers and scripts, and people's acts: {"at", "seq", "source":
        "event|attempt|line|audit", "level", "step_id", "attempt", "worker", "message", "data", "trace_id"}, `at` in ISO
        8601. `step_id`: only what is about this step. `level`: debug, info, warning, error or critical, and what is
        above it. `after`: the `seq` of an entry; what comes behind it. `limit`: of entries, 1 to 10,000.

        Raises:
            NotFound: there is no such run.
            BadInput: no such level, no cursor, or another limit.
        """
        return await sync_to_async(workflow_logs)(workflow_id, step_id=step_id, level=level, after=after, limit=limit)

    async def _watch(self) -> None:
        while not self._stop.is_set():
            await sync_to_async(_pass)()
            try:
                await asyncio.wait_for(self._stop.wait(), SECONDS)
            except TimeoutError:
                continue


def _add_policy(policy: RecoveryPolicy) -> RecoveryPolicy:
    row, _ = publishing.publish(policy, actor=PYTHON)
    return policy_in(row)


def _policies() -> list[RecoveryPolicy]:
    return [policy_in(row) for row in policies()]


FILTERS = frozenset({"state", "severity", "rule", "target", "saga_id"})


def _alerts(filters: dict[str, str]) -> list[dict[str, Any]]:
    unknown = sorted(set(filters) - FILTERS)
    if unknown:
        raise BadInput(f"'{unknown[0]}' is no filter", field=unknown[0], remedy=f"one of: {', '.join(sorted(FILTERS))}")
    return [alert_view(alert) for alert in alerts(**filters)[:200]]


def _acknowledge(alert_id: int, by: str, note: str) -> dict[str, Any]:
    actor = permissions.as_account(by, door="python", field="by")
    return alert_view(acts.acknowledge(alert_id, actor=actor, note=note))


def _pass() -> None:
    for act in (
        sweep.watch,
        recover,
        site.look,
        sagas.look,
        heartbeat.beat,
        workflows.look,
        rounds.walk,
        jobs.perform_some,
    ):
        guarded(act, _trying_again)


def _trying_again(error: Exception) -> None:
    """Whatever it was, the next pass comes in a second."""
    log.warning("watching failed, and is tried again: %s", error)


_monitor: WorkflowMonitor | None = None


def get_workflow_monitor() -> WorkflowMonitor:
    """This process's monitor."""
    global _monitor
    if _monitor is None:
        _monitor = WorkflowMonitor()
    return _monitor
