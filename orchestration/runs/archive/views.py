"""The last view of a condensed run: kept within a bound, and given back to the doors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from foundation.clock import iso
from foundation.db import statements
from foundation.visible_text import cut
from orchestration.models import Archive, Run

MOST_BYTES = 64 * 1024
KEPT = ("hold_reason", "warnings", "error", "steps", "attempts")
"""What a view has from rows that go; the rest comes from those that stay."""
LONG_OUTPUT, LONG_TEXT, MOST_LINES = 1024, 300, 20


def archive_of(run: Run) -> Archive | None:
    """The archive of a condensed run; None for any other. One query for a run that has ended, then none."""
    return None if run.finished_at is None else getattr(run, "archive", None)


def told(archive: Archive | None) -> dict[str, Any] | None:
    """What the doors tell of the archive itself."""
    if archive is None:
        return None
    return {
        "at": iso(archive.at), "sha256": archive.sha256, "file": archive.file or None,
        "left_out": archive.view.get("left_out", []),
    }  # fmt: skip


def with_kept(steps: list[dict[str, Any]], kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The views of a condensed run's steps, each as it was kept; one that was not has what its own row says."""
    there = {step["step_id"]: step for step in kept.get("steps", ())}
    return [there.get(step["step_id"]) or step | {"output": None} for step in steps]


def fitted(view: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a run's view, 64 KiB of JSON at most; `left_out` names what would not have fitted."""
    kept: dict[str, Any] = {name: view[name] for name in KEPT if name in view}
    left_out: list[str] = []
    for what, shorten in _SHORTER:
        if _bytes(kept) <= MOST_BYTES:
            break
        kept = shorten(kept)
        left_out.append(what)
    return {**kept, "left_out": left_out} if left_out else kept


def _without_attempts(view: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in view.items() if name != "attempts"}


def _without_large_outputs(view: dict[str, Any]) -> dict[str, Any]:
    return _with_steps(view, lambda step: step if _bytes(step["output"]) <= LONG_OUTPUT else step | {"output": None})


def _without_outputs(view: dict[str, Any]) -> dict[str, Any]:
    return _with_steps(view, lambda step: step | {"output": None})


def _with_short_texts(view: dict[str, Any]) -> dict[str, Any]:
    """Only steps with an error: the others are shown from their rows."""
    shorter = _with_steps(
        view,
        lambda step: step | {
            "error": cut(step["error"], LONG_TEXT),
            "compensation": step["compensation"] | {"error": cut(step["compensation"]["error"], LONG_TEXT)},
        },
    )  # fmt: skip
    told = [step for step in shorter["steps"] if step["error"] or step["compensation"]["error"]]
    return shorter | {
        "steps": told, "error": cut(view["error"], LONG_TEXT), "hold_reason": cut(view["hold_reason"], LONG_TEXT),
        "warnings": [cut(line, LONG_TEXT) for line in view["warnings"][:MOST_LINES]],
    }  # fmt: skip


def _without_steps(view: dict[str, Any]) -> dict[str, Any]:
    return view | {"steps": []}


_SHORTER: tuple[tuple[str, Callable[[dict[str, Any]], dict[str, Any]]], ...] = (
    ("attempts", _without_attempts),
    ("large outputs", _without_large_outputs),
    ("outputs", _without_outputs),
    ("the end of long texts", _with_short_texts),
    ("errors of steps", _without_steps),
)


def _with_steps(view: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    return view | {"steps": [change(step) for step in view["steps"]]}


def _bytes(value: object) -> int:
    return len(statements.as_json(value).encode())
