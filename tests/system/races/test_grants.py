"""The grant is spent once, by one key, for one content, or it is taken back."""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest

from approvals.gate import evaluate
from approvals.models import Request
from approvals.requests import revoke
from foundation.errors import WrongState
from orchestration.ledger.plan_cache import definition_of
from orchestration.models import Run
from orchestration.ports import GateClosed, GateOpen, GateRequest
from tests.system.contract.cast import says
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import TIMES, ends_of, race, waiting_run, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases, pytest.mark.slow]


def gate_request(run: Run, key: str = "") -> GateRequest:
    """As the attempt asks at the run's gate."""
    step = definition_of(run).steps[0]
    ask = step.forward_action.plain()
    row = run.commands.get(kind="run_action")
    return GateRequest(run=run, row=row, step=step, key=key or f"{run}:gate", ask=ask, action=None)


def asked(at: GateRequest) -> Request:
    assert evaluate(at).parked  # type: ignore[union-attr]
    return Request.objects.get(about=at.run.workflow_id)


def test_a_yes_is_taken_back_or_used() -> None:
    for _ in range(TIMES):
        at = gate_request(waiting_run())
        request = says("bob", "approve", asked(at))
        spent, revoked = race(partial(evaluate, at), partial(revoke, request_id=str(request), actor=ADA))
        request = whole(request)
        if isinstance(spent, GateOpen):
            assert isinstance(revoked, WrongState) and "was used at" in str(revoked)
            assert request.spent_by == at.key and ends_of(request) == ["approved"]
        else:
            assert isinstance(spent, GateClosed) and not spent.parked and request.spent_at is None
            assert request.spent_by == "" and ends_of(request) == ["approved", "withdrawn"]


def test_two_attempts_under_one_key_spend_it_once() -> None:
    for _ in range(TIMES):
        at = gate_request(waiting_run())
        request = says("bob", "approve", asked(at))
        first, second = race(*[partial(evaluate, at)] * 2)
        assert first == second and isinstance(first, GateOpen)
        assert whole(request).spent_by == at.key


def test_another_key_does_not_get_through() -> None:
    for _ in range(TIMES):
        at = gate_request(waiting_run())
        request = says("bob", "approve", asked(at))
        outcomes = race(partial(evaluate, at), partial(evaluate, dataclasses.replace(at, key="another")))
        assert sorted(type(one).__name__ for one in outcomes) == ["GateClosed", "GateOpen"]
        winner = next(key for key, one in zip((at.key, "another"), outcomes, strict=True) if isinstance(one, GateOpen))
        assert whole(request).spent_by == winner


def test_other_content_and_the_first_one_ask_together() -> None:
    for _ in range(TIMES):
        at = gate_request(waiting_run())
        request = says("bob", "approve", asked(at))
        other = dataclasses.replace(at, ask={**at.ask, "context": {"changed": True}})
        first, second = race(partial(evaluate, at), partial(evaluate, other))
        request = whole(request)
        assert isinstance(second, GateClosed), "what nobody has seen never passes"
        if request.spent_at:
            assert isinstance(first, GateOpen) and request.round == 1 and request.status == "approved"
        else:
            assert isinstance(first, GateClosed) and request.status == "pending" and request.round >= 2


def test_two_attempts_that_ask_at_once_open_one_request() -> None:
    for _ in range(TIMES):
        at = gate_request(waiting_run())
        outcomes = race(*[partial(evaluate, at)] * 3)
        assert all(isinstance(one, GateClosed) and one.parked for one in outcomes), outcomes
        whole(Request.objects.get(about=at.run.workflow_id))
