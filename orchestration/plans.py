"""Compiled plans, cached per process by the definition's hash and the run's own limits."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from orchestration.core.compile import compile_plan
from orchestration.core.definition import SagaDefinition
from orchestration.core.plan import Plan
from orchestration.models import Definition, Run


@lru_cache(maxsize=256)
def _definition(definition_id: int) -> SagaDefinition:
    return SagaDefinition.model_validate(Definition.objects.get(pk=definition_id).body)


@lru_cache(maxsize=256)
def _plan(definition_id: int, max_parallel: int | None, timeout_seconds: float | None) -> Plan:
    return compile_plan(_definition(definition_id), max_parallel=max_parallel, timeout_seconds=timeout_seconds)


def definition_of(run: Run) -> SagaDefinition:
    return _definition(run.definition_id)


def plan_for(definition_id: int, config: dict[str, Any]) -> Plan:
    return _plan(definition_id, config.get("max_parallel"), config.get("timeout_seconds"))


def plan_of(run: Run) -> Plan:
    return plan_for(run.definition_id, run.config)


def forget() -> None:
    """Empty the caches: ids start anew in a fresh test database."""
    _definition.cache_clear()
    _plan.cache_clear()
