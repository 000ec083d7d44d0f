"""The table of engines, and which one a new run gets."""

from __future__ import annotations

from django.conf import settings

from foundation.errors import BadInput, Unreachable
from orchestration.engines.base import Engine
from orchestration.engines.celery.engine import CeleryEngine
from orchestration.engines.temporal.engine import TemporalEngine

ENGINES: dict[str, Engine] = {"celery": CeleryEngine(), "temporal": TemporalEngine()}


def choose(asked: str = "") -> Engine:
    """The engine of a new run. `asked`: auto, temporal or celery; '' is the setting ZEN_ENGINE.

    A name that was asked for is never replaced by another engine.

    Raises:
        BadInput: there is no such engine.
        Unreachable: it does not answer, and new runs do not wait for it (ZEN_WHEN_TEMPORAL_IS_DOWN).
    """
    name = asked or settings.ZEN_ENGINE
    if name == "auto":
        temporal = ENGINES["temporal"]
        fall_back = settings.ZEN_WHEN_TEMPORAL_IS_DOWN == "fallback"
        use_temporal = settings.TEMPORAL_ADDRESS and (temporal.reach().ok or not fall_back)
        return _reachable(temporal) if use_temporal else ENGINES["celery"]
    if name not in ENGINES:
        raise BadInput(f"engine '{name}' does not exist", field="engine", remedy="use auto, temporal or celery")
    if not asked and name == "temporal" and settings.ZEN_WHEN_TEMPORAL_IS_DOWN == "queue":
        return ENGINES[name]
    return _reachable(ENGINES[name])


def _reachable(engine: Engine) -> Engine:
    if engine.name == "temporal" and settings.ZEN_WHEN_TEMPORAL_IS_DOWN == "queue" and settings.TEMPORAL_ADDRESS:
        return engine
    reach = engine.reach()
    if not reach.ok:
        raise Unreachable(f"the {engine.name} engine cannot be used: {reach.why}", field="engine", remedy=reach.remedy)
    return engine
