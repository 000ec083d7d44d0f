"""The plan as one picture: steps layered by level, the way forward solid, the way back dashed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foundation.admin.badges import Look
from orchestration.badges import look
from orchestration.core.enums import UndoStatus
from orchestration.core.saga.plan import Plan

WIDE, HIGH, ACROSS, DOWN, MARGIN = 200, 78, 90, 26, 16
FITTING = MARGIN + 5 * (WIDE + ACROSS)
"""Up to this width a picture shrinks to a screen that is a little narrower; a wider one is scrolled."""
MOST_BOXES = 400
LONGEST_LABEL = 24
PLANNED = Look("calm", "")
TAKEN = (UndoStatus.COMPENSATING, UndoStatus.COMPENSATED, UndoStatus.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a box: what it says, and how that looks."""

    text: str
    look: Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    step_id: str
    label: str
    x: int
    y: int
    forward: Line
    undo: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`taken`: this way back was gone, or is being gone."""

    path: str
    undo: bool
    taken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    boxes: list[Box]
    edges: list[Edge]
    width: int
    height: int
    live: bool

    @property
    def fits(self) -> bool:
        return self.width <= FITTING


def graph(plan: Plan, steps: list[dict[str, Any]] | None = None) -> Picture | None:
    """`steps` as `run_view` gives them; without them it is the picture of a definition. None: too large to draw."""
    if len(plan.order) > MOST_BOXES:
        return None
    views = {view["step_id"]: view for view in steps or []}
    places = _places(plan)
    boxes = [_box(plan, step_id, places[step_id], views.get(step_id)) for step_id in plan.order]
    edges = [
        *(_edge(places[before], places[s]) for s, step in plan.steps.items() for before in step.dependencies),
        *(
            _edge(places[before], places[s], undo=True, taken=_taken(views, s) and _taken(views, before))
            for before, s in _ways_back(plan)
        ),
    ]
    return Picture(
        boxes=boxes,
        edges=edges,
        width=max(x for x, _ in places.values()) + WIDE + MARGIN,
        height=max(y for _, y in places.values()) + HIGH + MARGIN,
        live=steps is not None,
    )


def _places(plan: Plan) -> dict[str, tuple[int, int]]:
    rows: dict[int, int] = {}
    found = {}
    for step_id in plan.order:
        level = plan.steps[step_id].level
        row = rows[level] = rows.get(level, -1) + 1
        found[step_id] = (MARGIN + level * (WIDE + ACROSS), MARGIN + row * (HIGH + DOWN))
    return found


def _box(plan: Plan, step_id: str, place: tuple[int, int], view: dict[str, Any] | None) -> Box:
    return Box(
        step_id=step_id,
        label=step_id if len(step_id) <= LONGEST_LABEL else f"{step_id[:12]}…{step_id[-10:]}",
        x=place[0],
        y=place[1],
        forward=_forward(plan, step_id, view),
        undo=_undo(plan, step_id, view),
    )


def _forward(plan: Plan, step_id: str, view: dict[str, Any] | None) -> Line:
    if view is None:
        step = plan.steps[step_id]
        kind = "pivot" if step.pivot else "critical" if step.critical else "may fail"
        return Line(text=kind if step.acts else "waits", look=PLANNED)
    tried = f", {view['attempts']} attempts" if view["attempts"] > 1 else ""
    return Line(text=view["status"] + tried, look=look(view["status"]))


def _undo(plan: Plan, step_id: str, view: dict[str, Any] | None) -> Line:
    undo = view["compensation"] if view else {"status": UndoStatus.NOT_NEEDED}
    if undo["status"] == UndoStatus.NOT_NEEDED:
        has_undo = plan.steps[step_id].has_undo
        return Line(text="has an undo" if has_undo else "no undo", look=Look("calm", "undo" if has_undo else "dash"))
    words = {UndoStatus.PENDING: "undo pending", UndoStatus.FAILED: "undo failed"}
    return Line(text=words.get(undo["status"], undo["status"]), look=look(undo["status"]))


def _taken(views: Mapping[str, dict[str, Any]], step_id: str) -> bool:
    return step_id in views and views[step_id]["compensation"]["status"] in TAKEN


def _ways_back(plan: Plan) -> list[tuple[str, str]]:
    """From each step with an undo to the nearest ones before it that have one; nothing goes back over a pivot."""
    above: dict[str, tuple[str, ...]] = {}
    found = []
    for step_id in sorted(plan.order, key=lambda s: plan.steps[s].level):
        step = plan.steps[step_id]
        near = dict.fromkeys(s for before in step.dependencies for s in above[before])
        if step.has_undo and not step.pivot:
            found += [(before, step_id) for before in near]
            near = {step_id: None}
        above[step_id] = () if step.pivot else tuple(near)
    return found


def _edge(before: tuple[int, int], after: tuple[int, int], *, undo: bool = False, taken: bool = False) -> Edge:
    shift = 14 if undo else -12
    x1, y1 = before[0] + WIDE, before[1] + HIGH // 2 + shift
    x2, y2 = after[0], after[1] + HIGH // 2 + shift
    if undo:
        x1, y1, x2, y2 = x2, y2, x1, y1
    middle = (x1 + x2) // 2
    return Edge(path=f"M{x1},{y1} C{middle},{y1} {middle},{y2} {x2},{y2}", undo=undo, taken=taken)
