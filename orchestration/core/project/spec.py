"""What a project is asked for. Descriptions are the remedies of problems as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from orchestration.core.agent.agent_type import AgentType, is_agent_type, unknown_type
from orchestration.core.project.phases import PHASES

MOST_REQUIREMENTS, MOST_TASKS, MOST_GATES, MOST_CRITERIA, MOST_CHECKS = 200, 200, 50, 100, 20
LONGEST_TEXT, LONGEST_NAME = 20_000, 200
PROJECT_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
TASK_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$"

Line = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"\S")]
Checks = Annotated[tuple[Line, ...], Field(max_length=MOST_CHECKS)]


def agent_type(value: object) -> object:
    """The type of agent that a word names, in any case.

    Raises:
        ValueError: there is no such type.
    """
    if is_agent_type(value):
        return AgentType(str(value))
    raise ValueError("; ".join(unknown_type(value)))


def _in_full(key: str, part: type[BaseModel]) -> BeforeValidator:
    """A text stands for a mapping with nothing but this key; the published schema has both."""
    return BeforeValidator(
        lambda value: {key: value} if isinstance(value, str) else value, json_schema_input_type=str | part
    )


Agent = Annotated[AgentType, BeforeValidator(agent_type, json_schema_input_type=str)]


class Part(BaseModel):
    """A part of a spec: it has its keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _check(value: object) -> object:
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    if isinstance(value, Mapping) and set(value) == {"api_call"} and isinstance(value["api_call"], Mapping):
        return value
    raise ValueError("is no check; give a shell command, or {api_call: {url: …}}")


class Criterion(Part):
    """A success criterion. Without a `check` people say whether it is met."""

    text: Line = Field(description="what has to be true at the end, in words")
    check: Annotated[JsonValue, BeforeValidator(_check)] = Field(
        None, description="a shell command that exits with 0, or {api_call: {url: …}}, that proves it"
    )
    kind: str = Field("", max_length=50, description="a word for reports, such as performance or security")


class GateSpec(Part):
    """People who must say yes: by a name that says when, or before or after a phase or a task."""

    name: Name = Field(description="what is approved, such as Security Review")
    before: str = Field("", max_length=LONGEST_NAME, description=f"the phase ({', '.join(PHASES)}) or task it precedes")
    after: str = Field("", max_length=LONGEST_NAME, description="the phase or task that it follows")
    policy: str | None = Field(None, max_length=100, description="the name of a published policy")
    approvers: tuple[str, ...] | None = Field(
        None, min_length=1, max_length=100, description="user names, e-mail addresses or group:NAME"
    )


class TaskSpec(Part):
    """A task of a plan that is given by hand."""

    task_id: str = Field(pattern=TASK_ID, description="unique in the plan: letters, digits, _ and -, at most 60")
    title: str = Field("", max_length=LONGEST_NAME, description="a short name for people")
    prompt: str = Field("", max_length=LONGEST_TEXT, description="what the agent is asked to do")
    agent_type: Agent | None = Field(None, description=f"the type of agent, one of: {', '.join(AgentType)}")
    requirements: tuple[Line, ...] = Field((), max_length=MOST_REQUIREMENTS, description="R1, R2 … that it serves")
    dependencies: tuple[str, ...] = Field((), max_length=MOST_TASKS, description="ids of the tasks merged before it")
    checks: Checks = Field((), description="shell commands that judge this task, besides those of the project")
    files: tuple[Line, ...] = Field((), max_length=200, description="paths in the repository that it may change")
    budget: JsonValue = Field(None, description="what its attempts may cost together, a number or such as '$5'")


class ProjectSpec(Part):
    """A project: what is wanted, within which limits, by which agents, and where people have to agree."""

    INNER: ClassVar[Mapping[str, type[BaseModel]]] = {
        "success_criteria": Criterion, "approval_gates": GateSpec, "tasks": TaskSpec
    }  # fmt: skip

    project_id: str = Field(
        pattern=PROJECT_ID,
        description="names the project, its run and its branches: letters, digits, . _ and -, at most 80",
    )
    name: Name = Field(description="a short name for people")
    description: str = Field("", max_length=LONGEST_TEXT, description="what is built, for people and agents")
    requirements: tuple[Line, ...] = Field(
        min_length=1, max_length=MOST_REQUIREMENTS, description="a list of texts; each becomes R1, R2 …"
    )
    constraints: dict[str, JsonValue] = Field(
        default={}, description="timeline, budget, and anything that agents and approvers have to know"
    )
    success_criteria: tuple[Annotated[Criterion, _in_full("text", Criterion)], ...] = Field(
        (), max_length=MOST_CRITERIA, description="a list of texts, or of {text, check, kind}"
    )
    estimated_duration_hours: Annotated[float, Field(gt=0, le=100_000, strict=True)] | None = Field(
        None, description="the hours that it is expected to take, a number above 0"
    )
    agents_required: tuple[Agent, ...] = Field(
        min_length=1, max_length=50, description=f"the types of agents that may work, of: {', '.join(AgentType)}"
    )
    approval_gates: tuple[Annotated[GateSpec, _in_full("name", GateSpec)], ...] = Field(
        (), max_length=MOST_GATES, description="a list of texts, or of {name, before or after, policy, approvers}"
    )
    repository: str = Field(
        "", max_length=2000, description="the repository to work in: a path or a URL; left out, a fresh one"
    )
    checks: Checks = Field((), description="shell commands that judge every task")
    planner: Literal["rules", "agent"] = Field("rules", description="rules: a task for each requirement; or agent")
    tasks: tuple[TaskSpec, ...] = Field((), max_length=MOST_TASKS, description="a plan by hand, in place of a planner")

    def plain(self) -> dict[str, Any]:
        """As JSON, as its author wrote it."""
        return self.model_dump(mode="json", exclude_unset=True)
