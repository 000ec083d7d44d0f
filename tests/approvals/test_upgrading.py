"""Rows of before accounts were kept get the account that has exactly that name, if it was there then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from approvals.models import Delegation, Policy, Request
from orchestration.models import Definition, Run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
BEFORE = [("approvals", "0015_sequence_by_clock"), ("orchestration", "0012_seal_in_pages")]


def up() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.fixture
def old() -> Iterator[Any]:
    """The models as they were."""
    MigrationExecutor(connection).migrate(BEFORE)
    try:
        yield MigrationExecutor(connection).loader.project_state(BEFORE).apps
    finally:
        up()


def test_names_become_accounts_where_that_is_sure(old: Any) -> None:
    now = timezone.now()
    ann = old.get_model("auth", "User").objects.create(username="ann", date_joined=now - timedelta(days=2))
    late = old.get_model("auth", "User").objects.create(username="late", date_joined=now + timedelta(days=1))
    ops = old.get_model("auth", "Group").objects.create(name="ops")
    saga = old.get_model("orchestration", "Definition").objects.create(
        saga_id="s", version=1, hash="h", body={}, published_by="ann"
    )
    run = old.get_model("orchestration", "Run").objects.create(
        workflow_id="r", engine="celery", definition=saga, created_at=now, created_by="ann", created_for="late"
    )
    policy = old.get_model("approvals", "Policy").objects.create(
        name="p", version=1, hash="h", body={}, published_by="nobody"
    )
    old.get_model("approvals", "Request").objects.create(
        run=run, request_id="r", policy=policy, stage="s", title="t", content={}, content_hash="", shown_hash="",
        plan={"stages": [{"groups": {"ops": ["user:1"], "gone": []}}]}, people={}, state={}, requester="ann",
        created_at=now,
    )  # fmt: skip
    old.get_model("approvals", "Delegation").objects.create(
        owner=ann, to=late, starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1), created_by="ann"
    )
    up()
    kept, request = Run.objects.get(), Request.objects.get()
    assert (kept.created_by_id, kept.created_for_id, kept.input_by) == (ann.pk, None, [])
    assert Definition.objects.get().published_by_id == ann.pk
    assert Policy.objects.get().published_by_id is None
    assert (request.requester_person, request.groups) == (f"user:{ann.pk}", {"ops": ops.pk})
    assert Delegation.objects.get().told_at is not None
