"""The projects that are started, by their shape."""

from __future__ import annotations

from random import Random
from typing import Any

SHAPES = ("plain", "chain", "lies", "crashes", "asks", "conflict", "gate", "red", "deploy", "money", "planned", "many")
SLOW = "scripted: works_slowly"


def spec_of(shape: str, name: str, random: Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """The spec and the configuration."""
    tasks, spec = _tasks(shape), dict[str, Any]()
    config: dict[str, Any] = {"deployment_strategy": "none"}
    match shape:
        case "gate":
            spec["approval_gates"] = [{"name": "Release", "after": "verify", "approvers": ["bob"]}]
        case "red":
            spec["success_criteria"] = [{"text": "It flies", "check": "test -f wings"}, "It is beautiful"]
        case "deploy":
            config = {
                "deployment_strategy": random.choice(["blue_green", "rolling", "canary", "recreate"]),
                "deployment": {"window_seconds": 0.5, "interval_seconds": 0.1},
            }
        case "money":
            config["budget"] = 6
        case "planned":
            spec |= {"planner": "agent"}
            tasks = []
    whole = {
        "project_id": name, "name": name, "requirements": ["A cart", "A till"], "agents_required": ["CLAUDE"],
        "success_criteria": [{"text": "Something is there", "check": "ls *.md"}],
    }  # fmt: skip
    return whole | ({"tasks": tasks} if tasks else {}) | spec, config


def _tasks(shape: str) -> list[dict[str, Any]]:
    how = {
        "lies": "scripted: lies, works_slowly", "crashes": "scripted: crashes, works_slowly",
        "asks": "scripted: question", "money": "scripted: over_budget",
    }.get(shape, SLOW)  # fmt: skip
    tasks = [_task(1, how), _task(2, SLOW)]
    if shape == "chain":
        tasks[1]["dependencies"] = ["t1"]
    if shape == "conflict":
        for number, one in enumerate(tasks, 1):
            one["prompt"] = f"Write the same.\n```write same.md\n{number} wants this\n```\n"
            one["checks"] = ["test -s same.md"]
    if shape == "many":
        tasks += [_task(number, SLOW) for number in range(3, 7)]
    return tasks


def _task(number: int, how: str) -> dict[str, Any]:
    return {
        "task_id": f"t{number}", "prompt": f"Make {number}.\n{how}", "requirements": [f"R{1 + number % 2}"],
        "checks": [f"test -s t{number}.md"],
    }  # fmt: skip
