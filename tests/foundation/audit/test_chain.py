"""Writers make one chain for each run, whatever happens at once; the database lets nobody change it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from pytest_django import DjangoAssertNumQueries

from foundation import audit
from foundation.audit import triggers
from foundation.audit.seal import seal
from foundation.audit.verify import verify
from foundation.models import AuditEvent, AuditSeal, SealedHead
from orchestration.core.enums import Verb
from orchestration.runs import act, publish, start_run
from tests.foundation.audit.scenes import ALICE, chain
from tests.foundation.audit.test_canonical import texts, values
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
SAGA = {
    "saga_id": "chained",
    "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 1}}],
}  # fmt: skip


def rows_of(name: str) -> list[tuple[int, str, str]]:
    return list(AuditEvent.objects.filter(workflow_id=name).order_by("seq").values_list("seq", "prev_hash", "hash"))


def test_a_run_is_a_chain_that_its_start_begins() -> None:
    run, _ = start_run(definition=SAGA, actor=ALICE, engine="celery")
    act(workflow_id=run.workflow_id, verb=Verb.HOLD, actor=ALICE, note="wait")
    act(workflow_id=run.workflow_id, verb=Verb.RELEASE, actor=ALICE)
    first, second, third = AuditEvent.objects.filter(workflow_id=run.workflow_id).order_by("seq")
    assert [first.action, second.action, third.action] == ["run.start", "run.hold", "run.release"]
    assert [first.seq, second.seq, third.seq] == [1, 2, 3]
    assert [first.prev_hash, second.prev_hash, third.prev_hash] == ["", first.hash, second.hash]
    assert verify().is_whole


def test_the_first_row_of_a_run_asks_the_database_nothing(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        (statement,) = audit.row(actor=ALICE, action="run.start", workflow_id="new")
    assert statement.parameters[:2] == ["new", 1]


def test_what_belongs_to_no_run_is_one_chain() -> None:
    publish(data=SAGA, actor=ALICE)
    publish(data=SAGA | {"name": "another"}, actor=ALICE)
    assert [seq for seq, _, _ in rows_of("")] == [1, 2]
    assert verify(chain="").rows == 2 and verify(chain="").is_whole


def test_an_act_that_is_rolled_back_leaves_no_gap() -> None:
    chain("r", 1)
    with transaction.atomic():
        chain("r", 2)
        transaction.set_rollback(True)
    chain("r", 1)
    assert [seq for seq, _, _ in rows_of("r")] == [1, 2] and verify().is_whole


@pytest.mark.parametrize("name", ["", "shared"])
def test_writers_without_a_lock_take_turns(name: str) -> None:
    together = threading.Barrier(8)

    def write(number: int) -> None:
        try:
            together.wait(PATIENCE_SECONDS)
            for _ in range(5):
                with transaction.atomic():
                    audit.record(actor=ALICE, action="test.write", workflow_id=name, writer=number)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert [seq for seq, _, _ in rows_of(name)] == list(range(1, 41))
    assert verify().is_whole


@pytest.mark.parametrize("table", [AuditEvent, AuditSeal, SealedHead])
def test_the_database_refuses_changes_and_deletions(table: Any) -> None:
    chain("r", 2)
    seal()
    key = "number" if table is AuditSeal else "id"
    refused = pytest.raises(IntegrityError, match="never changed or deleted")
    for statement in (f"UPDATE {table._meta.db_table} SET {key} = {key}", f"DELETE FROM {table._meta.db_table}"):
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert table.objects.exists() and verify().is_whole


def test_the_triggers_are_there_after_all_migrations() -> None:
    """SQLite loses them when a later migration copies the table: repeat triggers.create in that migration."""
    assert triggers.missing(connection) == []


def test_a_number_is_given_once() -> None:
    chain("r", 1)
    with pytest.raises(IntegrityError):
        AuditEvent.objects.create(actor="x", door="y", action="z", workflow_id="r", seq=1, hash="h")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(note=texts, data=values)
def test_what_the_database_gives_back_has_the_same_hash(note: str, data: Any) -> None:
    note = note.replace("\0", "")
    kept = without_nul(data)
    audit.record(actor=ALICE, action="test.write", workflow_id="property", note=note, value=kept)
    report = verify(chain="property")
    assert report.is_whole, report.findings


def without_nul(value: Any) -> Any:
    """PostgreSQL stores no NUL character."""
    if isinstance(value, dict):
        return {key.replace("\0", ""): without_nul(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    return value.replace("\0", "") if isinstance(value, str) else value
