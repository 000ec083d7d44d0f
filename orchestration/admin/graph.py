"""The plan as one picture: steps layered by level, forward edges solid, undo edges dashed the other way."""

from __future__ import annotations

from typing import Any

from orchestration.core.plan import Plan

WIDE, HIGH, ACROSS, DOWN = 190, 52, 90, 26


def graph(plan: Plan, steps: list[dict[str, Any]]) -> dict[str, Any]:
    rows: dict[int, int] = {}
    boxes: dict[str, dict[str, Any]] = {}
    for view in steps:
        step_id = view["step_id"]
        level = plan.steps[step_id].level
        row = rows[level] = rows.get(level, -1) + 1
        boxes[step_id] = {
            "x": 20 + level * (WIDE + ACROSS),
            "y": 20 + row * (HIGH + DOWN),
            "label": step_id if len(step_id) <= 24 else step_id[:23] + "…",
            **view,
        }
    edges = [
        _edge(boxes[before], boxes[step_id], undo=undo)
        for step_id, step in plan.steps.items()
        for before in step.dependencies
        for undo in (False, True)
        if not undo or step.has_undo or plan.steps[before].has_undo
    ]
    width = 40 + (max(rows, default=0) + 1) * (WIDE + ACROSS) - ACROSS
    height = 40 + (max(rows.values(), default=0) + 1) * (HIGH + DOWN) - DOWN
    return {"boxes": list(boxes.values()), "edges": edges, "width": width, "height": height}


def _edge(before: dict[str, Any], after: dict[str, Any], *, undo: bool) -> dict[str, Any]:
    shift = 9 if undo else -7
    x1, y1 = before["x"] + WIDE, before["y"] + HIGH // 2 + shift
    x2, y2 = after["x"], after["y"] + HIGH // 2 + shift
    if undo:
        x1, y1, x2, y2 = x2, y2, x1, y1
    middle = (x1 + x2) // 2
    return {"path": f"M{x1},{y1} C{middle},{y1} {middle},{y2} {x2},{y2}", "undo": undo}
