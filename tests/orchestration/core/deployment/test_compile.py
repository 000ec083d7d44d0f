"""Which steps a strategy has, and that each has its way back."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from orchestration.core.definition import DefinitionErrors, SagaDefinition
from orchestration.core.deployment import DeploymentSpec, compile_deployment, validate_deployment, warnings_of
from tests.orchestration.core.deployment.test_config import API, CALL
from tests.test_names import ROOT

STEPS = {
    "blue_green": "release start health switch watch drain",
    "rolling": "release start_1 health_1 switch_1 watch_1 drain_1 start_2 health_2 switch_2 watch_2 drain_2",
    "canary": "release start health switch_10 watch_10 switch_50 watch_50 switch_100 watch_100 drain",
    "recreate": "release switch_off drain_old start health switch watch drain",
}


def compiled(strategy: str = "blue_green", config: dict[str, Any] | None = None) -> SagaDefinition:
    given = validate_deployment(config, strategy) if config else None
    found = compile_deployment(DeploymentSpec(name="shop", strategy=strategy, config=given, commit="a" * 40))
    assert found is not None
    return found


@pytest.mark.parametrize("strategy", STEPS)
def test_a_strategy_has_its_steps_and_each_its_way_back(strategy: str) -> None:
    definition = compiled(strategy)
    assert [step.step_id for step in definition.steps] == STEPS[strategy].split()
    for step in definition.steps:
        only_looks = step.step_id.startswith(("health", "watch"))
        assert (step.compensation_action is None) is only_looks, step.step_id
    assert definition.saga_id == "deployment.shop"


def test_none_deploys_nothing() -> None:
    assert compile_deployment(DeploymentSpec(name="shop", strategy="none")) is None
    assert warnings_of(DeploymentSpec(name="shop", strategy="none")) == []


def test_a_step_has_time_for_what_its_configuration_allows() -> None:
    steps = {step.step_id: step for step in compiled(config={"window_seconds": 7200, "drain_seconds": 900}).steps}
    assert steps["health"].effective_timeout_seconds > 3600 and steps["drain"].effective_timeout_seconds > 900


@pytest.mark.parametrize(
    ("strategy", "windows"),
    [("blue_green", 1), ("recreate", 1), ("rolling", 2), ("canary", 3)],
)
@pytest.mark.parametrize("driver", ["local", "api"])
def test_a_window_is_spent_once_for_each_change_of_the_traffic(strategy: str, windows: int, driver: str) -> None:
    """Half of it before the change where processes were started for it; `switch_off` and `drain` change nothing."""
    if driver == "api" and strategy in ("rolling", "recreate"):
        return
    steps = compiled(strategy, (API if driver == "api" else {}) | {"window_seconds": 60}).steps
    told = {one.step_id: one.forward_action.model_dump() for one in steps if one.forward_action.type == "task"}
    parts = {step_id: action["seconds"] for step_id, action in told.items() if "seconds" in action}
    assert sum(parts.values()) == 60 * windows
    assert parts.pop("health", 30) == 30 and min(parts.values()) >= 30
    assert set(parts) == {one.step_id for one in steps if one.step_id.startswith(("watch", "health_"))}


def test_every_step_is_on_the_queue_that_was_asked_for() -> None:
    assert {step.queue for step in compiled(config={"queue": "edge"}).steps} == {"edge"}


def test_without_a_configuration_it_says_that_files_are_served() -> None:
    assert "static file server" in warnings_of(DeploymentSpec(name="shop"))[0]
    own = validate_deployment({"command": "x {port}"})
    assert warnings_of(DeploymentSpec(name="shop", config=own)) == []
    assert "503" in warnings_of(DeploymentSpec(name="shop", strategy="recreate", config=own))[0]


def test_actions_of_the_author_are_the_steps_of_the_driver_api() -> None:
    weight = CALL | {"payload": {"percent": "{weight}", "note": "{weight} %", "to": "{version}"}}
    definition = compiled("canary", API | {"switch": {"do": weight, "undo": CALL}, "canary_weights": [20]})
    steps = {step.step_id: step.model_dump(mode="json") for step in definition.steps}
    assert list(steps) == ["release", "start", "health", "switch_20", "watch_20", "switch_100", "watch_100"]
    assert steps["switch_20"]["forward_action"]["payload"] == {"percent": 20, "note": "20 %", "to": "{release.version}"}
    assert steps["start"]["compensation_action"]["url"] == CALL["url"]
    assert definition.context["commit"] == "a" * 40


@pytest.mark.parametrize("name", ["", "../shop", "a/b", ".hidden", "x" * 90, "a b"])
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(DefinitionErrors, match="give config.deployment.name: letters, digits"):
        compile_deployment(DeploymentSpec(name=name))


def test_the_examples_of_the_guide_compile() -> None:
    text = (ROOT / "docs" / "howto" / "deployment.md").read_text()
    examples = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    assert [one["deployment"]["driver"] for one in examples] == ["local", "api", "script"]
    for one in examples:
        assert compiled(one["deployment_strategy"], one["deployment"]).steps[-1].step_id in ("drain", "watch")


def test_the_text_of_a_script_is_the_shells() -> None:
    text = 'echo "${version}" {weight}'
    script = {"type": "script", "script": text, "env": {"version": "{version}", "W": "{weight}"}}
    given = API | {"driver": "script", "switch": {"do": script, "undo": CALL, "timeout_seconds": 5}}
    steps = {step.step_id: step for step in compiled(config=given).steps}
    done: Any = steps["switch"].forward_action
    assert done.script == text and done.env == {"version": "{release.version}", "W": 100}
    assert (steps["switch"].timeout_seconds, steps["start"].timeout_seconds) == (5, 720)
