"""The failure matrix of a definition, where it can be had while somebody waits."""

from __future__ import annotations

from functools import lru_cache

from orchestration.core.compile import compile_plan
from orchestration.core.definition import SagaDefinition
from orchestration.core.matrix import Row, failure_matrix
from orchestration.core.plan import Plan
from orchestration.plans import plan_for

MOST_STEPS = 60
"""Each of three rows a step drives the whole flow, so it grows with the cube: 0.4 s here, 9 s at 200 steps."""


def matrix_of(definition: SagaDefinition) -> tuple[Row, ...] | None:
    """None when it would take too long: `manage.py saga preview` takes its time."""
    return _bounded(compile_plan(definition))


@lru_cache(maxsize=64)
def stored_matrix(definition_id: int) -> tuple[Row, ...] | None:
    """Of a published version, which never changes."""
    return _bounded(plan_for(definition_id, {}))


def _bounded(plan: Plan) -> tuple[Row, ...] | None:
    return failure_matrix(plan) if len(plan.order) <= MOST_STEPS else None
