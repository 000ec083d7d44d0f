"""Many ask at the same instant: each request is opened once, each policy stored once."""

from __future__ import annotations

from functools import partial

import pytest

from approvals.models import Policy, Request
from approvals.requests import Ask, ask, publish_policy
from foundation.errors import BadInput
from orchestration.models import Definition
from tests.system.contract.sagas import ADA
from tests.system.races.scenes import TIMES, race, waiting_run, whole

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases, pytest.mark.slow]


def asks(number: int, request_id: str = "") -> tuple[Request, bool]:
    given = Ask(stage="race", approvers=("bob", "carol"), how_many=1 + number % 2, context={"number": number})
    return ask(given=given, actor=ADA, engine="celery", request_id=request_id)


def test_one_request_id_opens_one_request() -> None:
    for number in range(TIMES):
        outcomes = race(*[partial(asks, number, f"r-{number}")] * 3)
        assert sorted(new for _, new in outcomes) == [False, False, True]
        assert whole(Request.objects.get(request_id=f"r-{number}")).status == "pending"


def test_a_policy_and_a_definition_are_stored_once() -> None:
    for _ in range(TIMES):
        Request.objects.all().delete()
        Policy.objects.all().delete()
        requests = [request for request, _ in race(*(partial(asks, n) for n in range(4)))]
        assert len({request.pk for request in requests}) == 4
        assert sorted(Policy.objects.values_list("version", flat=True)) == [1, 2]
    assert Definition.objects.filter(saga_id="approval").count() == 1


def test_a_policy_that_many_publish_at_once_gets_one_number() -> None:
    def body(name: str) -> dict[str, object]:
        return {"policy": "p", "stages": [{"name": "s", "who": {"users": [name]}}]}

    for name in ("bob", "carol") * (TIMES // 2):  # from the third time on each content has been there before
        before = Policy.objects.count()
        outcomes = race(*[partial(publish_policy, data=body(name), actor=ADA)] * 3)
        assert sorted(new for _, new in outcomes) == [False, False, True]
        assert {stored.version for stored, _ in outcomes} == {before + 1}


def test_the_handle_of_a_run_is_no_id_of_a_request() -> None:
    run = waiting_run()
    with pytest.raises(BadInput, match="is in use by a run"):
        asks(1, run.workflow_id)
