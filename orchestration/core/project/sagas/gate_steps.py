"""The step of a gate: what people are asked, and what it is bound to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LONGEST_STAGE = 100


def gate_step(
    gate_id: str, name: str, *, after: Sequence[str] | None, about: Mapping[str, Any], policy: str | None,
    approvers: Sequence[str] | None, timeout: float | None, rework: str = "", note: str = "",
) -> dict[str, Any]:  # fmt: skip
    """A step of type approval. `about`: its context, whose placeholders bind it to content. `after`: its dependencies;
    None is the step before it in the list. Without a policy or approvers the standard policy says who decides.
    `rework`: the step that is done again when changes are requested; '' for none. `note`: what people are told besides.
    """
    plain = _plain(name)
    action: dict[str, Any] = {
        "type": "approval", "stage": stage_of(name), "description": f"Approve: {plain}{note}", "context": dict(about)
    }  # fmt: skip
    action |= {"policy": policy} if policy else {}
    action |= {"approvers": [one.replace("{", "{{").replace("}", "}}") for one in approvers]} if approvers else {}
    action |= {"timeout_seconds": timeout} if timeout is not None else {}
    action |= {"rework": rework} if rework else {}
    step: dict[str, Any] = {"step_id": gate_id, "name": plain, "forward_action": action}
    return step | ({} if after is None else {"dependencies": list(after)})


def stage_of(name: str) -> str:
    """The word by which a gate's policy is found."""
    return _plain(name)[:LONGEST_STAGE]


def _plain(name: str) -> str:
    return name.replace("{", "(").replace("}", ")")
