"""From a deployment to its saga: the steps of a strategy, in order, each with its compensation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from orchestration.core.definition import DefinitionErrors, Problem, SagaDefinition, validate_definition
from orchestration.core.definition.problems import short
from orchestration.core.deployment.config import MOST_REPLICAS, NAME, NAME_IN_WORDS, Change, DeploymentConfig
from orchestration.core.deployment.validate import validate_deployment

PREFIX = "deployment."
TASKS = "zen.deploy."
VERSION, PREVIOUS = "{version}", "{previous_version}"
SLACK_SECONDS = 180.0
"""What a step has beyond the times that its configuration gives: to start and end programs, to write files."""

CLAIM_TRIES = 5
"""Attempts after the first, a second apart, while another deployment has not said yet whether it goes on."""

UNDO_TRIES = 2
"""Attempts of a compensation after its first; then a person is asked, while traffic is where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentSpec:
    """What is deployed. `name`: of the place, such as the project's id: one deployment of a name at a time.

    `commit` and `repository` may be left '' where the saga's start gives them as context.
    """

    name: str
    strategy: str = "blue_green"
    config: DeploymentConfig | None = None
    commit: str = ""
    repository: str = ""


def deployment_saga_id(name: str) -> str:
    """The saga_id of all deployments of this name. Raises DefinitionErrors when it cannot be a name."""
    if not re.fullmatch(NAME, name):
        remedy = f"give config.deployment.name: {NAME_IN_WORDS}"
        raise DefinitionErrors(
            [
                Problem(
                    step="",
                    field="deployment.name",
                    value=short(name),
                    message="is no name of a deployment",
                    remedy=remedy,
                )
            ]
        )
    return PREFIX + name


def compile_deployment(spec: DeploymentSpec) -> SagaDefinition | None:
    """The saga of the deployment; None for the strategy `none`, which deploys nothing.

    Raises DefinitionErrors with every problem of the spec.
    """
    saga_id = deployment_saga_id(spec.name)
    given = spec.config.model_dump(mode="json", exclude_unset=True) if spec.config else None
    config = validate_deployment(given, spec.strategy)
    if spec.strategy == "none":
        return None
    steps = list(_local(spec, config) if config.driver == "local" else _outside(spec, config))
    for step in steps:
        step["queue"] = config.queue
    return validate_definition(
        {
            "saga_id": saga_id,
            "name": f"Deploy {spec.name}"[:200],
            "description": f"Deployment of {spec.name} by {spec.strategy}, driver {config.driver}",
            "context": {"commit": spec.commit, "repository": spec.repository},
            "steps": steps,
        }
    )


def warnings_of(spec: DeploymentSpec) -> list[str]:
    """What was chosen for the author, and what the strategy costs, in words."""
    if spec.strategy == "none":
        return []
    config = spec.config or DeploymentConfig()
    found = []
    if config.driver == "local" and config.command is None:
        given = "config.deployment is not given" if not config.is_given else "config.deployment has no command"
        found.append(f"{given}: the driver local serves the files of the merged head by a static file server")
    if spec.strategy == "recreate":
        found.append("recreate stops the old release before it starts the new one: until that answers, users get 503")
    if config.window_seconds < config.interval_seconds * 6:
        found.append(f"half a window of {config.window_seconds:g} s has room for fewer than 3 answers")
    return found


def _handed(spec: DeploymentSpec, config: DeploymentConfig) -> dict[str, JsonValue]:
    """What every task of ours is told. Written out, for a name in the context could be that of some step's output."""
    plain = config.model_dump(mode="json", exclude_unset=True, exclude={"start", "switch", "drain"})
    return {"project": spec.name, "deployment": _escaped(plain)}


def _escaped(value: JsonValue) -> JsonValue:
    """The value as a template that means it: braces are doubled."""
    if isinstance(value, str):
        return value.replace("{", "{{").replace("}", "}}")
    if isinstance(value, list):
        return [_escaped(one) for one in value]
    return {key: _escaped(one) for key, one in value.items()} if isinstance(value, dict) else value


def _step(step_id: str, title: str, forward: Any, back: Any = None, *, seconds: float, **more: Any) -> dict[str, Any]:
    step: dict[str, Any] = {
        "step_id": step_id,
        "name": title,
        "forward_action": forward,
        "timeout_seconds": round(seconds + SLACK_SECONDS, 3),
        "compensation_retry_count": UNDO_TRIES,
        **more,
    }
    return step if back is None else step | {"compensation_action": back}


class _Local:
    """The steps of the driver local, each with what takes it back."""

    def __init__(self, spec: DeploymentSpec, config: DeploymentConfig) -> None:
        self.config, self.replicas = config, config.replicas_for(spec.strategy)
        self.handed = _handed(spec, config)

    def task(self, name: str, **more: JsonValue) -> dict[str, JsonValue]:
        return {"type": "task", "handler": TASKS + name, **self.handed, **more}

    def pair(self, name: str, **more: JsonValue) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
        """A task and the one that takes it back."""
        return self.task(name, **more), self.task(f"{name}_back", **more)

    def release(self) -> dict[str, Any]:
        forward = self.task("release", commit="{commit}", repository="{repository}")
        back = self.task("release_back")
        # another deployment that has not said yet whether it begins is waited for
        return _step("release", "Make the release", forward, back, seconds=600, retry_count=CLAIM_TRIES)

    def start(self, numbers: list[int], mark: str = "") -> dict[str, Any]:
        seconds = self.config.start_seconds * len(numbers)
        return _step(f"start{mark}", "Start the new release", *self.pair("start", replicas=[*numbers]), seconds=seconds)

    def health(self, numbers: list[int], mark: str = "") -> dict[str, Any]:
        """The first half of a window: what was started is asked before users are."""
        lasts = self.config.window_seconds / 2
        asked = self.task("health", replicas=[*numbers], seconds=lasts)
        return _step(f"health{mark}", "Health window", asked, seconds=lasts + self.config.answer_seconds * len(numbers))

    def switch(self, mark: str = "", title: str = "Switch the traffic", **how: JsonValue) -> dict[str, Any]:
        seconds = self.config.start_seconds * self.replicas
        return _step(f"switch{mark}", title, *self.pair("switch", **how), seconds=seconds)

    def watch(self, mark: str = "", *, half: bool = True) -> dict[str, Any]:
        """What is left of a window once users are served; all of it where `health` had no part of it."""
        lasts = self.config.window_seconds / (2 if half else 1)
        seconds = lasts + self.config.answer_seconds * (self.replicas + 1)
        return _step(f"watch{mark}", "Watch the new release serve", self.task("watch", seconds=lasts), seconds=seconds)

    def drain(self, mark: str = "", *, last: bool, title: str = "Drain the old release") -> dict[str, Any]:
        seconds = self.config.drain_seconds + self.config.start_seconds * MOST_REPLICAS
        return _step(f"drain{mark}", title, *self.pair("drain", last=last), seconds=seconds)


def _local(spec: DeploymentSpec, config: DeploymentConfig) -> Iterator[dict[str, Any]]:
    local = _Local(spec, config)
    everyone = list(range(1, local.replicas + 1))
    yield local.release()
    match spec.strategy:
        case "rolling":
            yield from _rolling(local, everyone)
        case "canary":
            yield local.start(everyone)
            yield local.health(everyone)
            for number, weight in enumerate((*config.canary_weights, 100)):
                yield local.switch(f"_{weight}", f"Give it {weight} % of the traffic", weight=weight)
                yield local.watch(f"_{weight}", half=number == 0)
            yield local.drain(last=True)
        case "recreate":
            yield local.switch("_off", "Take the traffic from the old release", off=True)
            yield local.drain("_old", last=False, title="Stop the old release")
            yield local.start(everyone)
            yield local.health(everyone)
            yield local.switch(weight=100)
            yield local.watch()
            yield local.drain(last=True, title="Close the deployment")
        case _:
            yield local.start(everyone)
            yield local.health(everyone)
            yield local.switch(weight=100)
            yield local.watch()
            yield local.drain(last=True)


def _rolling(local: _Local, everyone: list[int]) -> Iterator[dict[str, Any]]:
    """One process after another; the old one of the same number ends when its requests have."""
    for number in everyone:
        mark = f"_{number}"
        yield local.start([number], mark)
        yield local.health([number], mark)
        yield local.switch(mark, f"Process {number} takes over", replica=number, of=len(everyone))
        yield local.watch(mark)
        yield local.drain(mark, last=number == everyone[-1])


def _outside(spec: DeploymentSpec, config: DeploymentConfig) -> Iterator[dict[str, Any]]:
    """The drivers api and script: their own actions around our health window."""
    urls = [config.health] if isinstance(config.health, str) else list(config.health or ())
    handed = {"type": "task", **_handed(spec, config)}
    health = {**handed, "handler": f"{TASKS}health", "urls": [_escaped(url) for url in urls]}

    def asked(step_id: str, title: str, lasts: float) -> dict[str, Any]:
        seconds = lasts + config.answer_seconds * len(urls)
        return _step(step_id, title, {**health, "seconds": lasts}, seconds=seconds)

    half = config.window_seconds / 2
    asks = any(PREVIOUS in json.dumps(_templates(action)) for one in _changes(config) for action in (one.do, one.undo))
    claim = {**handed, "handler": f"{TASKS}claim", "commit": "{commit}", "needs_previous": asks}
    yield _step("release", "Claim the deployment", claim, seconds=30, retry_count=CLAIM_TRIES)
    yield _change("start", "Start the new release", config.start, 100)
    yield asked("health", "Health window", half)
    for number, weight in enumerate((*config.canary_weights, 100) if spec.strategy == "canary" else (100,)):
        mark = f"_{weight}" if spec.strategy == "canary" else ""
        yield _change(f"switch{mark}", "Switch the traffic", config.switch, weight)
        yield asked(f"watch{mark}", "Watch the new release serve", config.window_seconds if number else half)
    if config.drain is not None:
        yield _change("drain", "Drain the old release", config.drain, 100)


def _changes(config: DeploymentConfig) -> list[Change]:
    return [one for one in (config.start, config.switch, config.drain) if one is not None]


def _change(step_id: str, title: str, change: Change | None, weight: int) -> dict[str, Any]:
    assert change is not None  # noqa: S101 - validate_deployment has said so
    do, undo = (_filled(action, weight) for action in (change.do, change.undo))
    return _step(step_id, title, do, undo, seconds=0, retry_count=3) | {"timeout_seconds": change.timeout_seconds}


def _filled(action: dict[str, JsonValue], weight: int) -> dict[str, JsonValue]:
    """The action with {weight} as a number where it stands alone, and with the versions that the first step told.

    By the step's name, for a service may answer with a `version` of its own.
    """
    text = json.dumps(_templates(action)).replace('"{weight}"', str(weight)).replace("{weight}", str(weight))
    text = text.replace(VERSION, "{release.version}").replace(PREVIOUS, "{release.previous_version}")
    filled: dict[str, JsonValue] = json.loads(text)
    return action | filled


def _templates(action: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The action but for a script's text: that is no template, and `${version}` is the shell's."""
    return {key: value for key, value in action.items() if (action.get("type"), key) != ("script", "script")}
