"""`agent`: a coding agent's attempt at a task."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from orchestration.core.definition.actions.base import ActionModel

MONEY = r"^(?:\d{1,9}(?:\.\d{1,6})?|\{[^{}]+\})$"
Path = Annotated[str, Field(min_length=1, max_length=1000)]


class Agent(ActionModel):
    """A coding agent's attempt at a task in a repository. What it did is a commit of ours on a branch of its own."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["agent"]
    agent: str = Field(min_length=1, max_length=100, description="the type of the agent, in any case: CLAUDE, CODEX, …")
    prompt: str = Field(min_length=1, max_length=200_000, description="what it is told; {placeholders}")
    context_files: tuple[Path, ...] = Field(
        (), max_length=200, strict=False, description="files of the repository that it is told to read first"
    )
    checks: tuple[Annotated[str, Field(min_length=1, max_length=4000)], ...] = Field(
        (), max_length=50, strict=False,
        description="shell commands that judge its work, run by Zen in a clean checkout; no templates",
    )  # fmt: skip
    files: tuple[Path, ...] = Field(
        (), max_length=500, strict=False, description="what it is told to change, and nothing else"
    )
    max_turns: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="rounds with the model, a whole number from 1"
    )
    budget: Annotated[float, Field(ge=0, le=1_000_000)] | Annotated[str, Field(pattern=MONEY)] | None = Field(
        None, description="what all attempts of the step may cost together, a number or a {placeholder} for one"
    )
    repository: Annotated[str, Field(min_length=1, max_length=2000)] | None = Field(
        None, description="the git repository to work in, a path or an address; left out, the run's own"
    )
    branch: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="the branch that gets its commit; left out, zen/<workflow_id>/<step_id>"
    )
    requirements: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        (), max_length=200, strict=False, description="ids of the requirements that it serves, for the commit"
    )
    stall_seconds: Annotated[float, Field(ge=1, le=86_400)] | None = Field(
        None, description="seconds without a sign of life after which it is stopped, 1 to 86400"
    )
    merges: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None,
        description="a commit that could not be merged: it begins with both sides in its files, and is to make one",
    )
    changes: bool = Field(True, description="false: only its answer is wanted, so that it may change nothing")
