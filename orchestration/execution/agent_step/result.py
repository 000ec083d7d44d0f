"""The outcome of an agent's attempt, by what follows its verdict."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from foundation.clock import now
from orchestration.actions.base import Result
from orchestration.agents.endpoints import lease
from orchestration.core.agent.agent_type import AgentType
from orchestration.core.agent.evidence import tests_changed
from orchestration.core.agent.verdict import Next, Then
from orchestration.core.definition.shape import canonical_json
from orchestration.core.enums import Outcome
from orchestration.models import AgentAttempt

MOST_FACTS = 5


def result_of(then: Next, row: AgentAttempt, facts: Sequence[str], *, acts_outside: bool) -> Result:
    """Succeeded, to be tried again, or failed: a person has to decide. `acts_outside`: what failed is possibly done."""
    detail = detail_of(row)
    if then.then is Then.MERGE:
        return Result(outcome=Outcome.SUCCEEDED, output=_output(row), detail=detail)
    why = "; ".join(facts[:MOST_FACTS]) or row.error or "the lines of the attempt tell more"
    error = f"the agent '{row.endpoint_name}' came to the verdict {row.verdict}: {why}"
    if then.then is Then.AGAIN:
        wait = max(0.0, (then.not_before - now()).total_seconds()) if then.not_before else None
        if wait is not None and lease.has_free(AgentType(row.agent_type)):
            wait = None  # its endpoint is of no use until then; another one is
        return Result(
            outcome=Outcome.RETRYABLE, maybe=acts_outside, error=error, detail=detail, retry_after=wait
        )  # fmt: skip
    return Result(outcome=Outcome.FAILED, maybe=acts_outside, error=error, detail=detail)


def _output(row: AgentAttempt) -> dict[str, JsonValue]:
    return {
        "verdict": row.verdict,
        "commit": row.commit or None,
        "base": row.base,
        "branch": row.branch,
        "agent_type": row.agent_type,
        "endpoint": row.endpoint_name,
        "session_id": row.session_id,
        "text": row.text,
        "diff": {key: row.diff.get(key) for key in ("files_changed", "added", "removed")},
        "tests_changed": list(tests_changed(row.diff)),
        "evidence": hashlib.sha256(canonical_json(row.evidence).encode()).hexdigest() if row.evidence else "",
        "checks": [{key: one[key] for key in ("command", "passed", "seconds", "digest")} for one in row.checks],
        "tokens": {"input": row.input_tokens, "output": row.output_tokens, "cached": row.cached_tokens},
        "cost": None if row.cost is None else f"{row.cost:f}",
        "turns": row.turns,
    }


NO_WORK: Mapping[str, JsonValue] = {"commit": None, "tests_changed": [], "evidence": "", "cost": None}
"""Of the output of a task that nothing was done for."""


def detail_of(row: AgentAttempt) -> dict[str, JsonValue]:
    """What the attempt's row of the run keeps: enough to find the rest."""
    return {
        "agent_attempt": row.pk,
        "verdict": row.verdict,
        "endpoint": row.endpoint_name,
        "session_id": row.session_id,
        "commit": row.commit or None,
        "cost": None if row.cost is None else f"{row.cost:f}",
        "question": row.question,
    }
