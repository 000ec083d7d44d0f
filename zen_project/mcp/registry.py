"""What a tool is: one typed function over services, and what is told of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

from mcp_types import ToolAnnotations

from zen_project.mcp.arguments import Given
from zen_project.mcp.identity import Caller

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[Given]):
    """A tool. `do` gets the caller and its arguments and returns JSON, or raises an error of `foundation.errors`.

    What its docstring says is what a model reads. `answers`: the JSON Schema of what it returns. `reads`: it changes
    nothing. `destroys`: it undoes or leaves out what was done or planned, and cannot be taken back. `idempotent`: the
    same call again changes nothing more. `again`: the answer anew, for tools that can wait (`wait_seconds`).
    """

    name: str
    title: str
    arguments: type[Given]
    answers: dict[str, Any]
    do: Callable[[Caller, Given], Answer]
    reads: bool = False
    destroys: bool = False
    idempotent: bool = False
    again: Callable[[Caller, Answer], Answer] | None = None

    @property
    def description(self) -> str:
        """What it does, for whoever chooses among tools."""
        return inspect.getdoc(self.do) or ""

    @property
    def annotations(self) -> ToolAnnotations:
        """The protocol's hints; each is told, since what is left out means the worst."""
        return ToolAnnotations(
            title=self.title,
            read_only_hint=self.reads,
            destructive_hint=self.destroys,
            idempotent_hint=self.reads or self.idempotent,
            open_world_hint=False,
        )
