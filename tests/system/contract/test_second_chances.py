"""`retry_failed_steps`: a step that would fail backs off once more, under the same key, on every engine."""

from __future__ import annotations

from typing import Any

import pytest

from foundation.errors import BadInput
from monitoring.health_check import check_health
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act, start_run
from orchestration.runs.waiting_reasons import why
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, step
from tests.system.contract.test_calls import attempts


def begin(peer: Peer, engine: str, *steps: dict[str, Any], again: object) -> Run:
    definition = {"saga_id": "contract", "steps": list(steps), "context": {"base": peer.url}}
    return start_run(definition=definition, actor=ADA, engine=engine, config={"retry_failed_steps": again})[0]


def test_a_step_whose_retries_are_spent_is_tried_again_after_each_pause(engine: str, peer: Peer) -> None:
    peer.behave("/things/a", 500, 500, 500)
    run = until(begin(peer, engine, step("a", retry_count=1), again=[0.1, 0.2]))
    assert run.status == "completed" and attempts(run, "a") == ["retryable"] * 3 + ["succeeded"]
    assert len({key for method, _, key in peer.calls if method == "POST"}) == 1


@pytest.mark.parametrize("engine", ["memory", "celery"], indirect=True)  # the flow is the same on the others
def test_when_the_chances_are_spent_too_the_way_back_begins(engine: str, peer: Peer) -> None:
    peer.behave("/things/b", 500, 500, 500, 200)
    run = until(begin(peer, engine, step("a"), step("b"), again=[0.1, 0.1]))
    assert run.status == "rolled_back" and attempts(run, "b") == ["retryable"] * 3
    peer.behave("/things/c", 400, 400, 200)
    run = until(begin(peer, engine, step("c", retry_count=3), again=[0.1, 0.1, 0.1]))
    assert run.status == "rolled_back" and attempts(run, "c") == ["failed"] * 2  # a refusal is asked once more


@pytest.mark.parametrize("engine", ["celery", "temporal"], indirect=True)  # the clocks of the others leap
def test_while_it_waits_it_says_so_and_an_abort_cuts_it_short(engine: str, peer: Peer) -> None:
    peer.behave("/things/a", 500)
    run = until(begin(peer, engine, step("a"), again=True), lambda run: attempts(run, "a") == ["retryable"])
    run = until(run, lambda run: any("second chance" in line for line in why(run)))
    assert why(run)[0].startswith("step 'a' failed once; second chance 1 of 3 at 20")
    said = check_health(run.workflow_id, ADA).issues_detected
    assert any(line.startswith("'a' failed once (HTTP 500") and "second chance 1 of 3 at 20" in line for line in said)
    act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA)
    run = until(run)
    assert run.status == "rolled_back" and attempts(run, "a") == ["retryable"]


@pytest.mark.parametrize("given", ["yes", 3, [], [0], [10, True], [4000], [1] * 11, {"a": 1}, None, [float("nan")]])
def test_another_configuration_is_refused(transactional_db: None, peer: Peer, given: object) -> None:
    with pytest.raises(BadInput, match="retry_failed_steps") as refused:
        begin(peer, "celery", step("a"), again=given)
    assert "a list of 1 to 10 pauses" in str(refused.value.remedy) and not Run.objects.exists()
