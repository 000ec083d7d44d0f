"""The failure matrix of a definition, computed within a bound, so that a page can wait for it."""

from __future__ import annotations

from functools import lru_cache

from orchestration.core.definition import SagaDefinition
from orchestration.core.saga.compile import compile_plan
from orchestration.core.saga.failure_matrix import Matrix, bounded_matrix
from orchestration.core.saga.plan import Plan
from orchestration.ledger.plan_cache import plan_for

WORK = 1_500_000
"""About a second and a half of one processor, whatever the definition: three rows for each of some 60 steps in a line.
What is over it is left out and said; `manage.py saga preview` takes its time."""


def matrix_of(definition: SagaDefinition) -> Matrix:
    """The matrix of a definition; rows beyond the bound are left out, and the matrix says so."""
    return _bounded(compile_plan(definition))


@lru_cache(maxsize=64)
def stored_matrix(definition_id: int) -> Matrix:
    """The matrix of a published version, which never changes."""
    return _bounded(plan_for(definition_id, {}))


def _bounded(plan: Plan) -> Matrix:
    return bounded_matrix(plan, WORK)
