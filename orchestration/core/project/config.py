"""How a project is run: the configuration of a start. Every key has an effect, and no other is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from orchestration.core.definition.problems import DefinitionErrors, Problem
from orchestration.core.deployment import DeploymentSpec, validate_deployment
from orchestration.core.likeness import bounded
from orchestration.core.project.faults import fault, faults_of, plain_of, without_refused
from orchestration.core.project.phases import STRATEGIES
from orchestration.core.project.quantities import amounts
from orchestration.core.project.quantities.amounts import Amount
from orchestration.core.project.quantities.durations import LONGEST_SECONDS
from orchestration.core.project.spec import ProjectSpec

CONFIG = "config"
MOST_BYTES = 64 * 1024
STALL_SECONDS = 300.0
LONGEST_STALL = 86400.0
MOST_AGENTS = 100

Seconds = Annotated[float, Field(gt=0, le=LONGEST_SECONDS)]


def _strategy(value: object) -> object:
    return value.strip().lower().replace("-", "_") if isinstance(value, str) else value


OF_SPEC = dict.fromkeys(ProjectSpec.model_fields, "it is a key of the spec: give it there")


class ProjectConfig(BaseModel):
    """The configuration of a project's run, its defaults filled in."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    approval_timeout: Seconds | None = Field(
        None, description="seconds until a gate of the project expires, above 0 and at most 366 days"
    )
    parallel_execution: bool = Field(True, description="true or false; false: one agent at a time")
    max_parallel_agents: int = Field(
        3, ge=1, le=MOST_AGENTS, description="agents of this project at once, a whole number from 1 to 100"
    )
    retry_failed_phases: bool = Field(True, description="true or false; false: one attempt for each task")
    max_attempts: int = Field(3, ge=1, le=10, description="attempts of a task, a whole number from 1 to 10")
    automatic_testing: bool = Field(
        True, description="true or false; false: no checks of tasks, only criteria with a check of their own"
    )
    deployment_strategy: Annotated[
        Literal["blue_green", "rolling", "canary", "recreate", "none"], BeforeValidator(_strategy)
    ] = Field("none", description=f"one of: {', '.join(STRATEGIES)}")
    deployment: dict[str, JsonValue] | None = Field(
        None, description="how it is deployed: a mapping with driver, command, port, health, window_seconds"
    )
    monitoring_enabled: bool = Field(True, description="true or false; false: no health, alerts and forecast")
    budget: JsonValue = Field(None, description="what the agents may cost together, a number or such as '$500'")
    stall_seconds: Annotated[float, Field(gt=0, le=LONGEST_STALL)] = Field(
        STALL_SECONDS, description="seconds without an event after which an agent is stopped, above 0, at most a day"
    )
    merge: Literal["queue", "by_hand"] = Field("queue", description="queue, or by_hand: a person says yes to each")
    alert_on_failure: bool | None = Field(None, description="true or false")
    notification_channels: list[str] | None = Field(
        None, max_length=20, description="a list of channels, such as ['slack://deployments']"
    )

    @property
    def agents_at_once(self) -> int:
        """How many of its agents work at the same time."""
        return self.max_parallel_agents if self.parallel_execution else 1

    @property
    def attempts(self) -> int:
        """How often a task is tried."""
        return self.max_attempts if self.retry_failed_phases else 1

    @property
    def cap(self) -> Amount | None:
        """The budget that a valid configuration gives; None where it gives none."""
        return None if self.budget is None else amounts.amount_of(self.budget)

    def deployed(self, handle: str) -> DeploymentSpec:
        """What a valid configuration says about bringing the project to its users.

        `handle`: of the project's run, which names its deployment where the configuration does not: two projects
        with one project_id have users of their own.
        """
        given = validate_deployment(self.deployment, self.deployment_strategy)
        return DeploymentSpec(
            name=given.name or handle,
            strategy=self.deployment_strategy,
            config=given if self.deployment is not None else None,
        )

    def of_the_run(self) -> dict[str, Any]:
        """What the saga's own configuration has of it."""
        kept = {"alert_on_failure", "notification_channels", "monitoring_enabled"}
        return self.model_dump(mode="json", include=kept & self.model_fields_set, exclude_none=True)

    def plain(self) -> dict[str, Any]:
        """As JSON, as its author wrote it."""
        return self.model_dump(mode="json", exclude_unset=True)


@bounded
def validate_config(data: object = None) -> ProjectConfig:
    """The configuration; None is the default one. `data`: JSON-like.

    Raises:
        DefinitionErrors: with every problem found; each field begins with `config.`.
    """
    given = data.plain() if isinstance(data, ProjectConfig) else data
    plain = plain_of(
        {} if given is None else given, CONFIG, under=CONFIG, most_bytes=MOST_BYTES, remedy="give fewer keys"
    )
    if not isinstance(plain, dict):
        raise DefinitionErrors([fault(CONFIG, plain, "is no mapping", "such as {parallel_execution: true}")])
    try:
        config = ProjectConfig.model_validate(plain)
    except ValidationError as error:
        found = faults_of(error, ProjectConfig, under=CONFIG, beside=OF_SPEC)
        raise DefinitionErrors([*found, *_budget(plain), *_deployment_of(plain, error)]) from None
    found = [*_budget(plain), *_deployment(config)]
    if found:
        raise DefinitionErrors(found)
    return config


def _deployment_of(plain: Mapping[str, JsonValue], error: ValidationError) -> list[Problem]:
    """What is wrong with the deployment of a configuration that has other faults, where its strategy can be read."""
    rest = without_refused(plain, error, ProjectConfig, keep=("deployment_strategy", "deployment"))
    try:
        return _deployment(ProjectConfig.model_validate(rest))
    except ValidationError:
        return []


def _deployment(config: ProjectConfig) -> list[Problem]:
    try:
        validate_deployment(config.deployment, config.deployment_strategy)
    except DefinitionErrors as errors:
        return [replace(one, field=f"config.{one.field}") for one in errors.problems]
    return []


def _budget(plain: Mapping[str, JsonValue]) -> list[Problem]:
    if plain.get("budget") is None:
        return []
    try:
        amounts.amount_of(plain["budget"])
    except ValueError as error:
        return [fault("config.budget", plain["budget"], str(error), amounts.HOW)]
    return []
