"""What an agent has had done once more is asked by its owner as well."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from approvals.models import Request
from foundation.errors import ZenError
from foundation.identity.authentication import actor_of
from foundation.models import ApiToken
from orchestration.core.enums import Verb
from orchestration.runs import act, start_run
from tests.approvals.requests.test_gates_asked_anew import worked
from tests.system.contract.cast import account, actor, says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
GATE = {"type": "approval", "approvers": ["alice", "carol"]}


def test_the_owner_of_an_agent_decides_nothing_that_it_had_asked_anew(settings: Settings) -> None:
    settings.ZEN_MCP_PROPOSE = False
    bot = account("bot", "operator")
    for name in ("alice", "carol", "bob"):
        account(name, "operator", "approver")
    definition = {"saga_id": "x", "steps": [{"step_id": "gate", "forward_action": GATE}]}
    run, _ = start_run(definition=definition, actor=actor(account("bob")), engine="celery")
    worked()
    before = says("carol", "approve", Request.objects.get())
    worked()
    bot.api_token, _ = ApiToken.issue(bot, agent=True, owner=account("alice"))
    act(workflow_id=run.workflow_id, verb=Verb.RERUN, step_id="gate", actor=actor_of(bot))
    worked()
    anew = Request.objects.exclude(pk=before.pk).get()
    with pytest.raises(ZenError, match="cannot decide it"):
        says("alice", "approve", anew)
    assert says("carol", "approve", anew).status == "approved"
