"""What an agent's token only proposes: the act becomes a request to people, who decide it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings

from approvals.requests import propose
from orchestration.core.enums import Verb
from orchestration.core.proposals import people_decide
from orchestration.runs import act, get_run
from zen_project.mcp.identity import Caller
from zen_project.mcp.registry import Answer
from zen_project.mcp.schemas import Schema, either
from zen_project.mcp.tools.runs import run_answer

PROPOSAL: Schema = {
    "type": "object",
    "properties": {
        "proposed": {"const": True, "description": "nothing is done yet: people decide it, and a yes does it"},
        "request_id": {"type": "string", "description": "the approval in which they decide"},
        "approval_id": {"type": "string", "description": "the same as request_id"},
        "preview": {"type": "object", "description": "what the act would do now"},
    },
    "required": ["proposed", "request_id", "approval_id", "preview"],
}


def or_proposal(shape: Schema) -> Schema:
    """The schema of an act's answer: `shape`, or that an agent has proposed it."""
    return either(shape, PROPOSAL)


def act_or_propose(caller: Caller, workflow_id: str, verb: Verb, **said: Any) -> Answer:
    """The run after the act, as REST shows it; or what was proposed. `said`: step_id, note, answer, action.

    Raises:
        ZenError: as of `orchestration.runs.act` and `approvals.requests.propose`.
    """
    if caller.is_agent and settings.ZEN_MCP_PROPOSE and people_decide(verb, said.get("answer", "")):
        return _proposed(caller, workflow_id, verb, said)
    run = act(workflow_id=workflow_id, verb=verb, actor=caller.actor, **said)
    return run_answer(get_run(run.workflow_id), caller)


def _proposed(caller: Caller, workflow_id: str, verb: Verb, said: dict[str, Any]) -> Answer:
    policy = settings.ZEN_MCP_PROPOSE_POLICY
    request, found = propose(workflow_id=workflow_id, verb=verb, actor=caller.actor, policy=policy, **said)
    handle = request.request_id
    return {"proposed": True, "request_id": handle, "approval_id": handle, "preview": asdict(found)}
