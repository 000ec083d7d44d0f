"""The monitoring of the description that Zen is built from works as it stands there, but for its imports."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async

from monitoring.client import RecoveryAction, RecoveryPolicy, get_workflow_monitor
from monitoring.core.shipped import SHIPPED
from monitoring.models import Job
from monitoring.trials import jobs
from orchestration.runs import start_run
from tests.monitoring.recovery.test_trials import blocked
from tests.monitoring.watch.test_sweep import LONG, begun, step
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)


def started(workflow_id: str) -> None:
    start_run(
        definition={"saga_id": "s", "steps": [step("a", LONG)]}, actor=ADA, engine="celery", workflow_id=workflow_id
    )


def test_the_dashboard(capsys: pytest.CaptureFixture[str]) -> None:
    started("workflow-123")

    async def main() -> None:
        monitor = get_workflow_monitor()
        await monitor.start_monitoring()
        dashboard = await monitor.get_workflow_dashboard_data()

        print(f"Total workflows: {dashboard['summary']['total_workflows']}")
        print(f"Healthy workflows: {dashboard['summary']['healthy_workflows']}")
        print(f"Critical alerts: {dashboard['summary']['critical_alerts']}")

        workflow_details = await monitor.get_workflow_dashboard_data("workflow-123")
        print(f"Workflow status: {workflow_details['metrics']['status']}")
        print(f"Completion rate: {workflow_details['metrics']['completion_rate']}")
        await monitor.stop_monitoring()

    asyncio.run(main())
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        "Total workflows: 1", "Healthy workflows: 1", "Critical alerts: 0", "Workflow status: waiting",
        "Completion rate: 0.0",
    ]  # fmt: skip


def test_the_health_check(capsys: pytest.CaptureFixture[str]) -> None:
    run = blocked()

    async def main() -> None:
        monitor = get_workflow_monitor()
        health = await monitor.perform_health_check(run.workflow_id)

        print(f"Overall health: {health.status}")
        print(f"Issues detected: {len(health.issues_detected)}")
        for issue in health.issues_detected:
            print(f"  - {issue}")

        print(f"Recommendations: {len(health.recommendations)}")
        for rec in health.recommendations:
            print(f"  - {rec}")

    asyncio.run(main())
    printed = capsys.readouterr().out
    assert "Overall health: critical" in printed and "Issues detected: 1" in printed
    assert "  - step 'a' failed after the pivot" in printed and "  - retry step 'a'" in printed


def test_the_recovery_policy() -> None:
    async def main() -> None:
        monitor = get_workflow_monitor()
        recovery_policy = RecoveryPolicy(
            policy_id="high_value_workflow_policy",
            name="High Value Workflow Recovery",
            workflow_types=["multi_agent_project"],
            conditions={"execution_time_hours": {">=": 4}, "error_rate": {">=": 0.3}},
            recovery_actions=[RecoveryAction.RETRY, RecoveryAction.ESCALATE],
            max_recovery_attempts=3,
            notification_channels=["slack://alerts", "email://ops@company.com"],
        )
        await monitor.add_recovery_policy(recovery_policy)
        assert recovery_policy in await monitor.list_recovery_policies()

    asyncio.run(main())


def test_what_a_run_matches_is_told_with_its_figures() -> None:
    run = blocked()
    begun(step("a", LONG))
    found = asyncio.run(get_workflow_monitor().get_workflow_dashboard_data(run.workflow_id))
    by_policy = {one["policy_id"]: one for one in found["policies"]}
    assert set(by_policy) == {"blocked-transient", "lost", "machinery", "undo-transient"}
    assert by_policy["blocked-transient"]["matches"] in (False, None) and not by_policy["lost"]["matches"]
    issue, error = by_policy["blocked-transient"]["why"]
    assert issue == {"metric": "issue", "op": "==", "bound": "step_blocks", "value": ["step_blocks"], "holds": True}
    assert error["metric"] == "error_class" and error["holds"] in (False, None)
    assert found["timeline"][-1]["status"] == "held" and found["recent_logs"]
    assert found["health"]["status"] == "critical" and found["alerts"] == []


def test_who_watches_from_python_does_jobs_too() -> None:
    async def main() -> Job:
        monitor = get_workflow_monitor()
        job = await sync_to_async(jobs.ask_dry_run)(SHIPPED[0], actor=ADA)
        assert await monitor.start_monitoring()
        while job.state == Job.OPEN:
            await asyncio.sleep(0.02)
            await job.arefresh_from_db()
        await monitor.stop_monitoring()
        return job

    assert asyncio.run(main()).results == {"of": 0, "matched": 0, "runs": []}
