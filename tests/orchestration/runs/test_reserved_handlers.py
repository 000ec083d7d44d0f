"""Handlers of Zen's own are for sagas that Zen compiled: no door lets anybody else name one, at any depth."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.errors import BadInput
from orchestration.actions.base import Call
from orchestration.core.deployment import DeploymentSpec, compile_deployment, validate_deployment
from orchestration.core.enums import Outcome, Purpose, Verb
from orchestration.execution.child_run import child
from orchestration.models import Definition, Run
from orchestration.projects.deployment.claims import last_version, open_deployments
from orchestration.runs import act, check_definition, publish, start_run
from orchestration.runs.acts.answers import check_alternative
from tests.orchestration.api.test_runs import post
from tests.orchestration.runs.test_inline_definitions import client_with
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
COMMAND = {"driver": "local", "command": "sh -c 'id >/tmp/mine; exec nc -l {{port}}'"}
OWN = {"type": "task", "handler": "zen.deploy.start", "project": "shop", "deployment": COMMAND, "replicas": [1]}
WAIT: dict[str, Any] = {"step_id": "w", "forward_action": {"type": "wait", "seconds": 0}}
WORDS = "is a handler of Zen's own"


def saga(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"saga_id": "deployment.shop", "steps": list(steps)}


def step(**actions: Any) -> dict[str, Any]:
    return {"step_id": "a", "forward_action": {"type": "api_call", "url": "http://x.example/"}} | actions


FORGED = {
    "forward": step(forward_action=OWN),
    "compensation": step(compensation_action=OWN),
    "probe": step(probe_action=OWN),
    "child in place": step(forward_action={"type": "saga", "definition": saga(step(forward_action=OWN))}),
    "a child's child": step(
        forward_action={"type": "saga", "definition": saga(
            step(forward_action={"type": "saga", "definition": saga(step(compensation_action=OWN))})
        )}
    ),
    "a project's": step(forward_action={"type": "task", "handler": "zen.project.report"}),
}  # fmt: skip


def forged(name: str) -> dict[str, Any]:
    return saga(FORGED[name], WAIT) if name == "compensation" else saga(FORGED[name])


@pytest.mark.parametrize("name", FORGED)
def test_no_door_takes_a_saga_that_names_one(name: str) -> None:
    for come_in in (
        lambda: start_run(definition=forged(name), actor=ADA, engine="celery"),
        lambda: publish(data=forged(name), actor=ADA),
        lambda: check_definition(forged(name)),
    ):
        with pytest.raises(BadInput, match=WORDS):
            come_in()
    body = {"definition": forged(name), "engine": "celery"}
    answer = post(client_with("view", "run.start"), "runs/", body)
    assert answer.status_code == 422 and WORDS in answer.content.decode()
    assert not Definition.objects.exists() and not Run.objects.exists()


def parent_of(definition: dict[str, Any], *, compiled: bool = False) -> Call:
    run, _ = start_run(definition=definition, actor=ADA, engine="celery", compiled=compiled)
    return Call(
        workflow_id=run.workflow_id, step_id="c", purpose=Purpose.FORWARD, iteration=1, attempt=1,
        idempotency_key="k", timeout_seconds=60, action={"type": "saga", "definition": saga(step(forward_action=OWN))},
    )  # fmt: skip


def test_no_output_or_context_brings_one_in_as_a_childs_definition() -> None:
    placed = {"step_id": "c", "forward_action": {"type": "saga", "definition": "{given}"}}
    whole = {"saga_id": "mine", "steps": [placed], "context": {"given": saga(step(forward_action=OWN))}}
    refused = child(parent_of(whole))
    assert refused.outcome is Outcome.FAILED and WORDS in refused.error
    assert not Run.objects.exclude(parent=None).exists()


def test_a_child_of_what_zen_compiled_may_be_given_one() -> None:
    placed = {"step_id": "c", "forward_action": {"type": "saga", "definition": "{prepare.build}"}}
    first = {"step_id": "prepare", "forward_action": {"type": "task", "handler": "zen.project.prepare"}}
    given = child(parent_of({"saga_id": "project.shop", "steps": [first, placed]}, compiled=True))
    assert given.deferred, given.error


def test_a_run_that_zen_compiled_can_be_started_again() -> None:
    own = compile_deployment(DeploymentSpec(name="shop", config=validate_deployment({}), commit="a" * 40))
    assert own is not None
    body = own.model_dump(mode="json", exclude_unset=True)
    run, _ = start_run(definition=body, actor=ADA, engine="celery", listed=False, compiled=True)
    Run.objects.filter(pk=run.pk).update(status="rolled_back", finished_at=run.created_at)
    again = act(workflow_id=run.workflow_id, verb=Verb.RESTART, actor=ADA)
    assert again.definition_id == run.definition_id
    with pytest.raises(BadInput, match=WORDS):  # its text, brought in by a door, is still refused
        start_run(definition=body, actor=ADA, engine="celery")


def test_none_is_an_alternative_compensation() -> None:
    with pytest.raises(BadInput, match=WORDS):
        check_alternative(OWN, "a")


def test_a_saga_that_is_only_called_like_a_deployment_neither_blocks_nor_steers_one() -> None:
    mine, _ = start_run(definition=saga(WAIT) | {"context": {"commit": "evil"}}, actor=ADA, engine="celery")
    assert not open_deployments("shop").exists()
    Run.objects.filter(pk=mine.pk).update(status="completed", finished_at=mine.created_at)
    assert last_version("shop") == ""
