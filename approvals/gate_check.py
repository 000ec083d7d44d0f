"""Whether a gate could be asked: the names in it, looked up when a run is started and not when it has come so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from approvals import people
from approvals.services.choose import as_it_was_asked, policy_of, refuse_strangers
from approvals.services.question import Ask
from orchestration.core.templates import placeholders


def check(step_id: str, ask: Mapping[str, Any]) -> None:
    """Raises BadInput for a policy, user or group that does not exist, and for what is no address. What comes from a
    template is not known yet.
    """
    stage, named = ask.get("stage") or step_id, tuple(ask.get("approvers") or ())
    known = tuple(name for name in named if not placeholders(name))
    if (named and not known) or placeholders([stage, ask.get("policy")]):
        return
    how_many = ask.get("how_many") or "any"
    given = Ask(
        stage=stage,
        policy=ask.get("policy") or "",
        approvers=known,
        how_many="any" if placeholders(how_many) else how_many,
    )
    with as_it_was_asked(given):
        _, policy = policy_of(given)
        refuse_strangers(given, people.find(policy))
