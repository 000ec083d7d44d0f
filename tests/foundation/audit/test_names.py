"""No run writes into a chain that belongs to none."""

from __future__ import annotations

import pytest

from approvals.models import Request
from approvals.requests import Ask, ask
from foundation import audit
from foundation.errors import BadInput
from foundation.models import AuditEvent
from notifications.services.audit import record
from notifications.webhooks.endpoints import chain_of, endpoint_for
from orchestration.models import Run
from orchestration.runs import start_run
from tests.foundation.audit.scenes import ALICE
from tests.system.contract.cast import account

pytestmark = pytest.mark.django_db(transaction=True)
SAGA = {"saga_id": "s", "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 1}}]}


@pytest.mark.parametrize("name", ["notifications", "agents", "endpoint:1", "endpoint:4711"])
def test_a_chain_that_belongs_to_no_run_is_nobodys_handle(name: str) -> None:
    account("bob")
    with pytest.raises(BadInput, match="belongs to no run") as refused:
        ask(given=Ask(stage="s", approvers=("bob",)), actor=ALICE, request_id=name, engine="celery")
    assert refused.value.field == "request_id" and refused.value.remedy
    with pytest.raises(BadInput, match="belongs to no run") as refused:
        start_run(definition=SAGA, actor=ALICE, workflow_id=name, engine="celery")
    assert refused.value.field == "workflow_id" and not Run.objects.exists() and not Request.objects.exists()


def test_names_that_look_like_it_are_free() -> None:
    for name in ("notifications-2", "endpoint:x", "endpoint:1.s", "my.notifications"):
        run, _ = start_run(definition=SAGA, actor=ALICE, workflow_id=name, engine="celery")
        assert run.workflow_id == name


def test_every_chain_of_no_run_is_kept_free() -> None:
    """Whoever adds one hears of it here."""
    record(actor=ALICE, action="channel.test")
    endpoint = endpoint_for("https://example.org/hook", "shop", created_by="alice")
    chains = set(AuditEvent.objects.values_list("workflow_id", flat=True)) | {chain_of(endpoint)}
    assert len(chains) == 2 and all(audit.NO_RUNS.fullmatch(chain) for chain in chains)
