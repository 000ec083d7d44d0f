"""What people are asked about the latest attempt of a step, and the facts that they see.

All of it follows from the attempt's row, so the same request is made however often it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from orchestration.actions.base import Call
from orchestration.core.agent.asking import STAGES, fields_for, question_from
from orchestration.core.agent.session import Question
from orchestration.core.agent.verdict import Asked, Next
from orchestration.execution.agent_step.follows import RESUMED, cost_of_all
from orchestration.execution.agent_step.work import home_of
from orchestration.inquiries import Inquiry
from orchestration.ledger.plan_cache import definition_of
from orchestration.models import AgentAttempt, Run

MOST_FACTS, LONGEST_FACT = 20, 500
LEADS = {
    Asked.PERMISSION: "The agent at '{endpoint}' asks whether it may do this, and waits.",
    Asked.QUESTION: "The agent at '{endpoint}' cannot go on without an answer.",
    Asked.BUDGET: "The agent at '{endpoint}' has used up what the task may take.",
    Asked.TASK_FAILED: "No attempt of the task was accepted. The last one, at '{endpoint}', came to '{verdict}'.",
}


def inquiry_of(call: Call, run: Run, rows: Sequence[AgentAttempt], then: Next) -> Inquiry:
    """The request about these attempts, of which the last is the one in question."""
    last, asked = rows[-1], then.asked or Asked.TASK_FAILED
    question = question_from(last.question) if last.question and asked in RESUMED else None
    step = next(one for one in definition_of(run).steps if one.step_id == call.step_id)
    gate = step.approval
    lead = LEADS[asked].format(endpoint=last.endpoint_name, verdict=last.verdict.replace("_", " "))
    return Inquiry(
        run=run,
        step_id=call.step_id,
        iteration=call.iteration,
        attempt=call.attempt,
        key=key_of(asked, last),
        stage=STAGES[asked],
        title=_title(asked, step.title, question),
        lead=lead,
        text=question.text if question is not None else "\n".join(_facts(last)),
        context=_context(run, rows, asked),
        fields=fields_for(asked, question),
        asker=f"agent {last.endpoint_name}" if asked in RESUMED else "",
        policy=str(gate.policy or "") if gate is not None else "",
        approvers=tuple(gate.approvers or ()) if gate is not None else (),
    )


def key_of(asked: Asked, row: AgentAttempt) -> str:
    """Of a question its digest, so that the same one is never asked twice; of anything else the attempt."""
    if asked in RESUMED and row.question:
        return str(row.question.get("digest") or "")
    return f"{asked}:{row.run_id}:{row.step_id}:{row.iteration}:{row.attempt}"


def _title(asked: Asked, step: str, question: Question | None) -> str:
    if asked is Asked.TASK_FAILED:
        return f"Task '{step}' failed: what now?"
    if asked is Asked.BUDGET:
        return f"Task '{step}' has spent its budget"
    what = "asks for permission" if asked is Asked.PERMISSION else "asks"
    return f"{step}: the agent {what}" + (f": {question.tool}" if question is not None and question.tool else "")


def _facts(row: AgentAttempt) -> list[str]:
    facts = [str(one)[:LONGEST_FACT] for one in row.facts[:MOST_FACTS]] or [row.error[:LONGEST_FACT]]
    return [one for one in facts if one] + ([f"Its last words: {row.text[:LONGEST_FACT]}"] if row.text else [])


def _context(run: Run, rows: Sequence[AgentAttempt], asked: Asked) -> dict[str, JsonValue]:
    """The facts, of the latest attempt."""
    last = rows[-1]
    found: dict[str, JsonValue] = {
        "run": run.workflow_id,
        "project": home_of(run).workflow_id,
        "agent": f"{last.agent_type} at {last.endpoint_name}",
        "attempts": len(rows),
    }
    if asked in RESUMED:
        return found | ({"tool": str(last.question.get("tool") or "")} if last.question else {})
    diff = last.diff or {}
    return found | {
        "verdict": last.verdict,
        "commit": last.commit or None,
        "diff": {name: diff.get(name) for name in ("files_changed", "added", "removed")},
        "tests_changed": [str(one.get("path")) for one in (diff.get("tests") or [])[:MOST_FACTS]],
        "checks": [
            {"command": one.get("command"), "passed": one.get("passed"), "why": one.get("why")}
            for one in last.checks[:MOST_FACTS]
        ],
        "weakened_tests": [str(one)[:LONGEST_FACT] for one in last.tampering[:MOST_FACTS]],
        "evidence": dict(list(last.evidence.items())[:MOST_FACTS]),
        "cost_so_far": f"{cost_of_all(rows):f}",
    }
