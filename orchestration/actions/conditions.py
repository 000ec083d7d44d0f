"""Conditions in CEL over an answer (`until`, `retry_on`, `fail_on`): checked with the definition, evaluated later.

They can use `status` (a number), `headers` (a mapping of lower-cased names to text) and `body`: the JSON value of the
answer, its text where it is no JSON, {"base64": …, "type": …} where it is neither, null where there is none. A
condition that cannot be evaluated, because a name is missing or a type does not fit, is false.

What one may cost is bounded: 2,000 characters, four walks through a list (all, exists, exists_one), none of which may
look again at what it is in the middle of, and a body of at most 1 MiB. `map` and `filter` copy their list with
every item, so they are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import cel
from pydantic import JsonValue

from orchestration.core.definition import Problem
from orchestration.core.definition.actions import LONGEST_CONDITION
from orchestration.core.definition.problems import did_you_mean, short
from orchestration.core.definition.shape import step_label

KEYS = ("retry_on", "fail_on", "until")
NAMES = ("status", "headers", "body")
MOST_WALKS = 4
MOST_BODY_BYTES = 1024 * 1024
TEXT = re.compile(r"""'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|//[^\n]*""", re.DOTALL)
"""What of an expression is text or remark."""
TYPES = frozenset({
    "bool", "bytes", "double", "duration", "dyn", "google", "int", "list", "map", "null_type", "optional",
    "optional_type", "string", "timestamp", "type", "uint",
})  # fmt: skip
"""Names that CEL has by itself."""
WALK = re.compile(r"\.\s*(all|exists|exists_one|map|filter)\s*\(\s*(\w+)\s*,")
EXAMPLE = "such as status == 409 or body.state == 'DONE'"


def condition_problems(definition: object) -> list[Problem]:
    """What is wrong with the conditions of a definition given as plain JSON, its children in place included."""
    steps = definition.get("steps") if isinstance(definition, Mapping) else None
    found: list[Problem] = []
    for index, step in enumerate(steps if isinstance(steps, list) else []):
        if not isinstance(step, Mapping):
            continue
        label = step_label(definition, index)
        for field in ("forward_action", "compensation_action", "probe_action"):
            found += action_conditions(step.get(field), step=label, field=field)
        action = step.get("forward_action")
        if isinstance(action, Mapping) and action.get("type") == "saga":
            found += [_inside(label, problem) for problem in condition_problems(action.get("definition"))]
    return found


def action_conditions(action: object, *, step: str, field: str) -> Iterator[Problem]:
    """What is wrong with the conditions of one action."""
    if not isinstance(action, Mapping) or action.get("type") != "api_call":
        return
    for key in KEYS:
        expression = action.get(key)
        wrong = _fault_within_length(expression) if isinstance(expression, str) and expression else None
        if wrong:
            message, remedy = wrong
            value = short(expression)
            yield Problem(step=step, field=f"{field}.{key}", value=value, message=message, remedy=remedy)


def holds(expression: str, *, status: int, headers: Mapping[str, str], body: JsonValue) -> bool:
    """Whether a condition is true of an answer."""
    try:
        names = {"status": status, "headers": dict(headers), "body": _plain(body)}
        return cel.evaluate(expression, names) is True
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError):
        return False


def _fault_within_length(expression: str) -> tuple[str, str] | None:
    if len(expression) > LONGEST_CONDITION:
        return f"is a condition of {len(expression)} characters", f"at most {LONGEST_CONDITION}"
    return _fault(expression)


@lru_cache(maxsize=512)
def _fault(expression: str) -> tuple[str, str] | None:
    """What is wrong with an expression, and the remedy."""
    try:
        program = cel.compile(expression)
    except ValueError as error:
        return f"is not a CEL expression: {str(error).partition(chr(10))[0][:200]}", EXAMPLE
    bare = TEXT.sub("''", expression)
    walks = [*WALK.finditer(bare)]
    bound = {walk[2] for walk in walks}
    for name in sorted(set(program.variables()) - {*NAMES, *TYPES, *bound}):
        return f"there is no '{name}' in an answer", did_you_mean(name, NAMES, "a condition knows")
    if len(walks) > MOST_WALKS:
        return f"walks through lists {len(walks)} times", f"at most {MOST_WALKS} times"
    for walk in walks:
        if walk[1] in ("map", "filter"):
            return f"{walk[1]} is not available here", "use all, exists or exists_one"
        around = [
            outer[2] for outer in walks if outer.end() <= walk.start() < outer.end() + length_inside(bare, outer.end())
        ]
        inside = bare[walk.end() : walk.end() + length_inside(bare, walk.end())]
        again = re.search(rf"(?<![.\w])({'|'.join(('body', 'headers', *around))})\b", inside)
        if again:
            return f"looks at '{again[1]}' again for each item of {walk[1]}", f"look at '{walk[2]}' alone there"
    return None


def length_inside(text: str, start: int) -> int:
    """Characters from `start` to the bracket that closes what is open there."""
    depth = 1
    for index in range(start, len(text)):
        depth += (text[index] in "([{") - (text[index] in ")]}")
        if not depth:
            return index - start
    return len(text) - start


def _inside(parent: str, problem: Problem) -> Problem:
    return Problem(
        step=f"{parent}/{problem.step}", field=problem.field, value=problem.value, message=problem.message,
        remedy=problem.remedy,
    )  # fmt: skip


def _plain(value: Any) -> JsonValue:
    """A body as conditions see it: numbers that CEL cannot hold become floats."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 10**308 else None
    checked: JsonValue = value
    return checked
