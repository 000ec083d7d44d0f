"""The saga of the phase `accept`: it asks people for what nothing proves, or has nothing to ask."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from orchestration.core.definition import SagaDefinition, validate_definition
from orchestration.core.project.config import ProjectConfig
from orchestration.core.project.phases import SENT_BACK, handler
from orchestration.core.project.sagas.gate_steps import gate_step
from orchestration.core.project.sagas.tasks import literal

STAGE = "unproved-criteria"
SECONDS = 300.0
ACCEPTED, NOT_ACCEPTED = "accepted", "not accepted"
LONGEST_LABEL = 180
MOST_ROUNDS = 5
"""Rounds of changes of a whole project: at its gates and because of criteria that were not accepted."""
LAST_QUESTION = f"""\
Not everything that this project has to fulfil is proved by a check, and it was reworked {MOST_ROUNDS} times already. \
Approve it as it is, taking all of these as met, or reject it, which has the work taken back:

"""
QUESTION = """\
Not everything that this project has to fulfil is proved by a check. Say for each of these \
whether you take it as met. For those that are not accepted an agent is asked to do more, by your comment; a no has \
the work taken back:

"""


def compile_acceptance(
    project_id: str, config: ProjectConfig, unproved: Sequence[Mapping[str, str]], *, commit: str, evidence: str,
    reworked: int = 0,
) -> SagaDefinition:  # fmt: skip
    """`unproved`: {id, text, why} each, of criteria and of checks. The request is bound to `commit` and `evidence`.

    `reworked`: how often the project went back for changes. After MOST_ROUNDS it is approved or rejected.
    """
    accept: dict[str, Any] = {
        "type": "task", "handler": handler("accept"), "commit": commit, "unproved": [one["id"] for one in unproved]
    }  # fmt: skip
    steps: list[dict[str, Any]] = []
    if unproved:
        shown = [{key: literal(one[key]) for key in ("id", "text", "why")} for one in unproved]
        about = {"commit": commit, "evidence": evidence, "criteria": shown}
        gate = gate_step(
            STAGE, STAGE, after=[SENT_BACK], about=about, policy=None, approvers=None,
            timeout=config.approval_timeout, rework=SENT_BACK,
        )  # fmt: skip
        lines = "\n".join(f"- **{one['id']}** {one['text']}: {one['why']}" for one in shown)
        question = QUESTION if reworked < MOST_ROUNDS else LAST_QUESTION
        gate["forward_action"] |= {"stage": STAGE, "description": (question + lines)[:20_000]}
        answers = [ACCEPTED, NOT_ACCEPTED] if reworked < MOST_ROUNDS else [ACCEPTED]
        gate["forward_action"] |= {"form": [_field(one, answers) for one in unproved], "reworked": reworked}
        gate["name"] = "Criteria that nothing proves"
        back = {"type": "task", "handler": handler(SENT_BACK), "unproved": accept["unproved"]}
        first = {"step_id": SENT_BACK, "forward_action": back, "timeout_seconds": SECONDS, "dependencies": []}
        steps, accept["answer"] = [first, gate], f"{{{STAGE}}}"
    steps.append({"step_id": "accept", "forward_action": accept, "timeout_seconds": SECONDS})
    return validate_definition({"saga_id": f"{project_id[:90]}.accept", "steps": steps})


def answer_name(item_id: str) -> str:
    """The form's field for a criterion or check: c1, check_2, tests."""
    return re.sub(r"[^a-z0-9]+", "_", item_id.casefold()).strip("_")[:50]


def _field(one: Mapping[str, str], answers: Sequence[str]) -> dict[str, Any]:
    label = literal(f"{one['id']}: {one['text']}"[:LONGEST_LABEL])
    return {"name": answer_name(one["id"]), "label": label, "type": "choice", "choices": list(answers)}
