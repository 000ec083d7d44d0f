"""Claims: by queue, by fair turns, in milliseconds however much is ready."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from foundation.clock import now
from foundation.db.statements import Statement, rows_of
from foundation.identity.actor import CONSOLE_ROLES, Actor
from orchestration.engines.celery import claims, fair_queue
from orchestration.models import Command, Run
from orchestration.runs import start_run
from orchestration.workers.celery.exchange import exchange

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def as_a_process_that_has_just_begun() -> Iterator[None]:
    fair_queue.forget()
    yield
    fair_queue.forget()


def started(who: str, *, steps: int = 1, queue: str = "default") -> Run:
    act = {"type": "api_call", "url": "http://127.0.0.1:1/", "method": "POST"}
    listed = [{"step_id": f"s{n}", "forward_action": act, "dependencies": [], "queue": queue} for n in range(steps)]
    actor = Actor(name=who, door="python", roles=CONSOLE_ROLES)
    definition: dict[str, Any] = {"saga_id": "claims", "steps": listed, "max_parallel": 200}
    run, _ = start_run(definition=definition, actor=actor, engine="celery")
    return run


def claim(queue: str = "default") -> Command:
    row = exchange("w", None, queue=queue)
    assert row is not None
    return row


def test_a_thread_takes_its_own_queues_work_only() -> None:
    run = started("ada", queue="agents")
    assert exchange("w", None) is None
    assert claim("agents").run_id == run.pk


def test_one_run_does_not_wait_behind_a_hundred_of_somebody_else() -> None:
    for _ in range(100):
        started("ada")
    taken = [claim().run_id for _ in range(10)]
    bobs = started("bob")
    assert bobs.pk not in taken and bobs.pk in [claim().run_id for _ in range(2)]


def test_nor_behind_all_the_steps_of_a_wide_run_of_the_same_person() -> None:
    wide = started("ada", steps=100)
    other = started("ada")
    assert {claim().run_id for _ in range(3)} == {wide.pk, other.pk}


def test_a_childs_steps_count_for_whoever_started_its_family() -> None:
    parent = started("ada")
    child = started("run claims")
    Run.objects.filter(pk=child.pk).update(parent=parent)
    child.refresh_from_db()
    assert fair_queue._person_of(child) == fair_queue._person_of(parent)


def ready(run: Run, count: int) -> None:
    rows = [
        Command(run=run, kind="run_action", step_id="s0", iteration=2, attempt=n, due_at=now(), turn=n)
        for n in range(count)
    ]
    Command.objects.bulk_create(rows, batch_size=200)


def plan_of(statement: Statement) -> str:
    words = "EXPLAIN (ANALYZE, FORMAT JSON) " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    (rows,) = rows_of(Statement(words + statement.text, statement.parameters))
    return json.dumps(rows, default=str)


def test_a_claim_reads_its_index_from_the_front_with_ten_thousand_ready() -> None:
    ready(started("ada"), 10_000)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE orchestration_command")
    plan = plan_of(claims.claiming("w", "default", now(), 8))
    assert "command_by_turn" in plan
    assert "USE TEMP B-TREE" not in plan and '"Sort"' not in plan  # nothing is sorted: the index has the order


def test_timers_have_an_index_of_their_own() -> None:
    ready(started("ada"), 2000)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE orchestration_command")
    assert "timer_to_fire" in plan_of(claims.claiming_timers("w", now(), 8))
