"""The names that Python code uses."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync

from approvals.client import submit_approval_decision, wait_for_approval
from foundation.errors import BadInput, WrongState
from notifications.models import Callback
from orchestration.client import get_temporal_client
from tests.system.contract.cast import account

pytestmark = pytest.mark.django_db(transaction=True)


def test_example_three(settings: object) -> None:
    settings.ZEN_ENGINE = "celery"  # type: ignore[attr-defined]
    account("bob", email="user@company.com")
    client = get_temporal_client()
    given: dict[str, Any] = {
        "workflow_id": "db-migration-workflow-789",
        "stage": "production_database_migration",
        "description": "Apply database schema changes to production",
        "context": {"risk_level": "medium", "migration_scripts": ["001_add_user_preferences.sql"]},
        "timeout_seconds": 4 * 60 * 60,
        "callback_url": "https://api.company.com/webhooks/approvals",
    }
    asked, again = (async_to_sync(client.request_human_approval)(**given) for _ in range(2))
    assert asked["status"] == "pending" and asked["approval_id"] == again["approval_id"]
    assert asked["callback_secret"].startswith("whsec_") and "callback_secret" not in again
    decide = async_to_sync(submit_approval_decision)
    assert decide(request_id=asked["approval_id"], approver_id="user@company.com", decision="approve", feedback="Ready")
    found = async_to_sync(wait_for_approval)(asked["approval_id"])
    assert found["status"] == "approved" and found["votes"][0]["comment"] == "Ready"
    assert Callback.objects.get().event_type == "approval.decided"
    with pytest.raises(WrongState, match="approved already by bob"):
        decide(asked["approval_id"], "bob", "reject", "no")
    with pytest.raises(BadInput, match="no account"):
        decide(asked["approval_id"], "nobody", "approve")
