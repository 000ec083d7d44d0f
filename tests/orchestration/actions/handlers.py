"""Task handlers for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestration.actions.task import TaskContext


def give(payload: Mapping[str, Any], context: TaskContext) -> Any:
    return payload["value"]


def make(payload: Mapping[str, Any], context: TaskContext) -> Any:
    what, *more = str(payload["make"]).split()
    circle: list[Any] = []
    circle.append(circle)
    if what == "deep":
        value: Any = 1
        for _ in range(int(more[0])):
            value = {"a": value}
        return value
    if what == "long":
        raise RuntimeError("x" * 1_000_000)
    return {"tuple": (1, 2), "nothing": None, "set": {1}, "nan": float("nan"), "circle": circle}[what]


def repeat(payload: Mapping[str, Any], context: TaskContext) -> Any:
    return {"got": payload["token"], payload["token"]: [payload]}


def tell(payload: Mapping[str, Any], context: TaskContext) -> Any:
    raise ValueError(f"no access with {payload}") from KeyError(payload["token"])
