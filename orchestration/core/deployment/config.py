"""The models of `config.deployment`. Descriptions serve as the remedies of problems."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from orchestration.core.queues import DEFAULT as DEFAULT_QUEUE
from orchestration.core.queues import IN_WORDS
from orchestration.core.queues import NAME as QUEUE

LONGEST_WINDOW = 86_400
MOST_REPLICAS = 10
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,88}$"
NAME_IN_WORDS = "letters, digits, . _ and -, at most 89, beginning with a letter or digit"
Strategy = Literal["blue_green", "rolling", "canary", "recreate", "none"]
Word = Annotated[str, Field(min_length=1, max_length=4096)]
Weight = Annotated[int, Field(ge=1, le=99)]
Url = Annotated[str, Field(min_length=1, max_length=2048)]
Line = Annotated[str, Field(min_length=1, max_length=8192)]
Words = Annotated[tuple[Word, ...], Field(min_length=1, max_length=256, strict=False)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Change(_Model):
    """What a phase does outside, and what takes it back: actions as in a saga."""

    do: dict[str, JsonValue] = Field(
        description="an action as in a saga: {type: api_call, url: https://…, method: POST}"
    )
    undo: dict[str, JsonValue] = Field(
        description="the action that takes it back, such as the same call with {previous_version}"
    )
    timeout_seconds: float = Field(
        720, ge=1, le=LONGEST_WINDOW, description="seconds that each of the two may take, 1 to 86400; left out, 720"
    )


class DeploymentConfig(_Model):
    """How a project is deployed. Defaults: driver `local` with a static file server over the merged head."""

    driver: Literal["local", "api", "script"] = Field("local", description="one of: local, api, script")
    name: str | None = Field(
        None,
        pattern=NAME,
        description=f"the deployment that this is a release of: {NAME_IN_WORDS}; left out, the project's handle",
    )
    command: Line | Words | None = Field(
        None,
        description="what starts the release, a text or a list of words, with {port} for the port to listen on: "
        "python app.py --port {port}; no shell reads it",
    )
    port: int = Field(
        0, ge=0, le=65_535, description="the port that users call, 1 to 65535; left out, a free one that stays the same"
    )
    health: str | Annotated[tuple[Url, ...], Field(min_length=1, max_length=20, strict=False)] | None = Field(
        None,
        description="what is asked for health: a path such as /health (driver local), else a URL or a list of URLs",
    )
    window_seconds: float = Field(
        10,
        gt=0,
        le=LONGEST_WINDOW,
        description="how long the new release is watched at each change of the traffic, in seconds above 0, at most a "
        "day; half of it before the change where processes were started for it",
    )
    interval_seconds: float = Field(
        1, ge=0.05, le=60, description="seconds between two questions for health, 0.05 to 60"
    )
    healthy_share: float = Field(
        1, gt=0, le=1, description="the share of answers that have to be good, above 0 and at most 1 (all of them)"
    )
    answer_seconds: float = Field(5, ge=0.1, le=60, description="seconds until an answer has to be there, 0.1 to 60")
    start_seconds: float = Field(
        60, ge=1, le=3600, description="seconds until a started release has to answer, 1 to 3600"
    )
    drain_seconds: float = Field(
        30, ge=0, le=3600, description="seconds that open requests to the old release are waited for, 0 to 3600"
    )
    replicas: int | None = Field(
        None, ge=1, le=MOST_REPLICAS, description="processes of a release, 1 to 10; left out, 2 for rolling, else 1"
    )
    canary_weights: Annotated[tuple[Weight, ...], Field(min_length=1, max_length=10, strict=False)] = Field(
        (10, 50), description="percent of the traffic in turn, each 1 to 99 and larger than the one before, as [10, 50]"
    )
    queue: str = Field(DEFAULT_QUEUE, pattern=QUEUE, description=f"the queue whose workers deploy: {IN_WORDS}")
    previous_version: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        description="what {previous_version} means in the actions; left out, the commit that was deployed last",
    )
    start: Change | None = Field(None, description="{do: action, undo: action} that starts the new release")
    switch: Change | None = Field(
        None, description="{do: action, undo: action} that gives it the traffic; canary fills in {weight}"
    )
    drain: Change | None = Field(None, description="{do: action, undo: action} that ends the old release")

    def replicas_for(self, strategy: str) -> int:
        """How many processes a release has."""
        return self.replicas or (2 if strategy == "rolling" else 1)

    @property
    def is_given(self) -> bool:
        """Whether an author wrote any of it."""
        return bool(self.model_fields_set)
