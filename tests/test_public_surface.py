"""What a site's own code may import: marked by `__all__`, used by the guides, and documented to the last argument."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.test_names import ROOT

MODULES = (
    "orchestration.client", "orchestration.sagas", "orchestration.actions.errors", "approvals.client",
    "notifications.services", "notifications.webhooks", "monitoring.client", "orchestration.projects",
    "zen_project.mcp",
)  # fmt: skip
IN_FULL = (
    "orchestration.client", "orchestration.sagas", "approvals.client", "notifications.services",
    "notifications.webhooks", "orchestration.projects", "zen_project.mcp",
)  # fmt: skip
"""Here every argument is told by its name."""

IMPORT = re.compile(rf"from ({'|'.join(map(re.escape, MODULES))}) import ([\w, ]+)")


def functions_of(name: str) -> Iterator[tuple[str, Any]]:
    """Public functions of a module, and public methods of its classes."""
    module = importlib.import_module(name)
    for each in module.__all__:
        found = getattr(module, each)
        if inspect.isclass(found):
            yield from ((f"{each}.{key}", one) for key, one in vars(found).items() if inspect.isfunction(one))
        elif callable(found):
            yield each, inspect.unwrap(found)


@pytest.mark.parametrize("name", MODULES)
def test_what_is_public_is_there_and_documented(name: str) -> None:
    module = importlib.import_module(name)
    assert sorted(module.__all__) == sorted(set(module.__all__))
    assert [each for each in module.__all__ if not getattr(getattr(module, each), "__doc__", "")] == []


def test_guides_import_only_what_is_public() -> None:
    texts = [path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))]
    used = {(name, each.strip()) for text in texts for name, names in IMPORT.findall(text) for each in names.split(",")}
    assert len(used) > 5
    assert [pair for pair in sorted(used) if pair[1] not in importlib.import_module(pair[0]).__all__] == []


@pytest.mark.parametrize("name", IN_FULL)
def test_every_argument_of_a_public_function_is_told(name: str) -> None:
    untold = [
        f"{each}: {argument}"
        for each, function in functions_of(name)
        for argument in inspect.signature(function).parameters
        if argument != "self" and f"`{argument}`" not in (function.__doc__ or "")
    ]
    assert untold == []


@pytest.mark.parametrize("name", IN_FULL)
def test_a_public_coroutine_tells_what_it_raises(name: str) -> None:
    never = {"TemporalWorkflowClient.connect"}
    silent = [
        each
        for each, function in functions_of(name)
        if inspect.iscoroutinefunction(function) and each not in never and "Raises:" not in (function.__doc__ or "")
    ]
    assert silent == []
