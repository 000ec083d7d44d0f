"""Compiled plans, cached per process by the definition's hash and the run's own limits."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from orchestration.core.definition import SagaDefinition
from orchestration.core.saga.compile import compile_plan
from orchestration.core.saga.plan import Plan
from orchestration.core.saga.second_chances import second_chances
from orchestration.models import Definition, Run


@lru_cache(maxsize=256)
def _definition(definition_id: int) -> SagaDefinition:
    return SagaDefinition.model_validate(Definition.objects.get(pk=definition_id).body)


@lru_cache(maxsize=256)
def _plan(
    definition_id: int, max_parallel: int | None, timeout_seconds: float | None, chances: tuple[float, ...]
) -> Plan:
    definition = _definition(definition_id)
    return compile_plan(definition, max_parallel=max_parallel, timeout_seconds=timeout_seconds, second_chances=chances)


def definition_of(run: Run) -> SagaDefinition:
    """The run's definition."""
    return _definition(run.definition_id)


def plan_for(definition_id: int, config: dict[str, Any]) -> Plan:
    """The compiled plan of a stored definition. `config`: the run's own."""
    chances = second_chances(config.get("retry_failed_steps"))
    return _plan(definition_id, config.get("max_parallel"), config.get("timeout_seconds"), chances)


def compiled_plan(run: Run) -> Plan:
    """The run's plan."""
    return plan_for(run.definition_id, run.config)


def forget() -> None:
    """Empty the caches: ids start anew in a fresh test database."""
    _definition.cache_clear()
    _plan.cache_clear()
