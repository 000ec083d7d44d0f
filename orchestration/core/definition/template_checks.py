"""Templates of a definition: malformed ones, and names of steps that do not come before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestration.core.dag import ancestors_of
from orchestration.core.definition.action_checks import action_problems, problem_of
from orchestration.core.definition.problems import Problem, short
from orchestration.core.templates import SECRET, action_placeholders, placeholders, problems_in
from orchestration.core.templates.names import head_of, parts_of

Steps = Sequence[tuple[str, Mapping[str, Any]]]
"""(label, step) of each step that is a mapping."""


def template_problems(
    data: Mapping[str, Any], steps: Steps, dependencies: Mapping[str, tuple[str, ...]] | None
) -> list[Problem]:
    """Malformed templates always; names of steps that do not come before only when the order is sound."""
    sight = None if dependencies is None else _Sight(data, dependencies)
    found = []
    for label, step in steps:
        for field in ("forward_action", "compensation_action", "probe_action", "approval"):
            action = step.get(field)
            if isinstance(action, dict):
                found += action_problems(action, step=label, field=field)
                own = field == "compensation_action"
                found += sight.problems(label, field, action_placeholders(action), own=own) if sight else []
        key = step.get("idempotency_key")
        if isinstance(key, str):
            found += _key_problems(label, key)
            found += sight.problems(label, "idempotency_key", placeholders(key), own=False) if sight else []
    return found


def _key_problems(label: str, key: str) -> list[Problem]:
    found = [problem_of(label, "idempotency_key", key, text) for text in problems_in(key)]
    if SECRET.search(key):
        found.append(problem_of(label, "idempotency_key", key, "is kept and sent openly; it cannot hold a secret"))
    return found


class _Sight:
    """Which steps a step can see: {step.name} needs that step to come before."""

    def __init__(self, data: Mapping[str, Any], dependencies: Mapping[str, tuple[str, ...]]) -> None:
        self.dependencies = dependencies
        self.bits = {step_id: 1 << index for index, step_id in enumerate(dependencies)}
        self.ancestors = ancestors_of(dependencies)
        context = data.get("context")
        self.context = context if isinstance(context, dict) else {}

    def problems(self, label: str, field: str, names: frozenset[str], *, own: bool) -> Iterator[Problem]:
        for name in sorted(name for name in names if len(parts_of(name)) > 1):
            head = head_of(name)
            if head not in self.bits or (own and head == label):
                continue
            if not self.bits[head] & self.ancestors[label]:
                yield self._unseen(label, field, name, head)

    def _unseen(self, label: str, field: str, name: str, head: str) -> Problem:
        if head in self.context:
            message = f"'{head}' is a key of the context and also a step that '{label}' cannot see"
            remedy = "rename the step or the key"
        elif head == label:
            message, remedy = "names the output of its own step", "only a compensation_action can see that"
        else:
            message = f"names the output of '{head}', which does not come before '{label}'"
            remedy = f"add '{head}' to the dependencies of '{label}'"
        return Problem(step=label, field=field, value=short(f"{{{name}}}"), message=message, remedy=remedy)
