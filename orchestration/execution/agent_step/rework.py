"""What people asked to be changed in work of the step that was accepted before."""

from __future__ import annotations

from orchestration.actions.base import Call
from orchestration.core.agent.verdict import Verdict
from orchestration.models import AgentAttempt, Run
from orchestration.runs.acts.rework import changes_wanted

MOST_CHANGES = 20


def wanted(run: Run, call: Call) -> str:
    """What people asked to be changed in what the step did before, for its agent; '' for nothing."""
    words = changes_wanted(run, call.step_id)[-MOST_CHANGES:]
    lines = "\n".join(f"- {one}" for one in words)
    return f"## Changes that people asked for\n\n{lines}" if words else ""


def accepted_before(run: Run, call: Call) -> AgentAttempt | None:
    """The attempt of the step's last iteration whose work was accepted, where people asked for changes since."""
    if not changes_wanted(run, call.step_id):
        return None
    rows = AgentAttempt.objects.filter(
        run=run, step_id=call.step_id, iteration__lt=call.iteration, verdict=Verdict.DONE
    ).exclude(commit="")
    return rows.order_by("iteration", "id").last()
