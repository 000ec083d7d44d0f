"""Each example of docs/reference/http.md is a definition that is accepted, or a part of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from orchestration.actions.conditions import condition_problems
from orchestration.core.definition import validate_definition
from orchestration.core.definition.actions import ApiCall

GUIDE = (Path(__file__).parents[3] / "docs/reference/http.md").read_text()
EXAMPLES = [yaml.safe_load(part.partition("```")[0]) for part in GUIDE.split("```yaml\n")[1:]]
URL = "https://x.example/a"


def whole(example: dict[str, Any]) -> dict[str, Any]:
    if "steps" in example:
        return example
    action = example.pop("forward_action", None) or {"type": "api_call", "method": "POST", "url": URL}
    action |= {key: example.pop(key) for key in ("multipart",) if key in example}
    before = [{"step_id": name, "forward_action": {"type": "api_call", "url": URL}} for name in ("report", "start")]
    context = {"shop": "https://shop.example", "id": 1, "ref": "r", "customer": "c"}
    steps = [*before, {"step_id": "a", "forward_action": action, **example}]
    return {"saga_id": "s", "context": context, "steps": steps}


def test_the_examples_are_accepted() -> None:
    assert len(EXAMPLES) == 5
    for example in EXAMPLES:
        data = whole(example)
        validate_definition(data)
        assert condition_problems(data) == []


def test_every_key_has_its_place_in_the_guide() -> None:
    assert [
        key for key in ApiCall.model_fields if key != "type" and f"`{key}" not in GUIDE and f"{key}:" not in GUIDE
    ] == []
