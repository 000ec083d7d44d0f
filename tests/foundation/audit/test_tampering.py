"""Every way to change the audit behind Zen's back is found, and named by its first row."""

from __future__ import annotations

import pytest
from django.db import connection

from foundation.audit import triggers
from foundation.audit.seal import seal
from foundation.audit.verify import verify
from foundation.canonical_json import Link
from foundation.models import AuditEvent, AuditSeal, SealedHead
from tests.foundation.audit.scenes import chain, findings, found, tamper, unguarded

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
EVENTS = "orchestration_auditevent"


@pytest.fixture(autouse=True)
def three_chains() -> None:
    chain("")
    chain("run-a")
    chain("run-b")


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'mallory'",
        "note = ''",
        "action = 'run.abort'",
        "door = 'api'",
        "at = '2020-01-01 00:00:00+00:00'",
        """data = '{"step_id": "other"}'""",
        "hash = prev_hash",
    ],
)
def test_a_changed_row_is_found(change: str) -> None:
    tamper(f"UPDATE {EVENTS} SET {change} WHERE workflow_id = 'run-a' AND seq = 3")
    assert found() == [("run-a", 3, "changed")]
    assert found("run-b") == []


def test_only_the_first_broken_row_of_a_chain_is_named_and_every_broken_chain() -> None:
    tamper(f"UPDATE {EVENTS} SET note = 'x' WHERE seq IN (2, 4) AND workflow_id <> ''")
    assert found() == [("run-a", 2, "changed"), ("run-b", 2, "changed")]


@pytest.mark.parametrize("seq", [1, 3])
def test_a_deleted_row_is_found(seq: int) -> None:
    tamper(f"DELETE FROM {EVENTS} WHERE workflow_id = 'run-a' AND seq = %s", seq)
    assert found() == [("run-a", seq, "missing")]


def test_rows_that_changed_places_are_found() -> None:
    with unguarded(), connection.cursor() as cursor:
        for old, new in ((2, 900), (3, 2), (900, 3)):
            cursor.execute(f"UPDATE {EVENTS} SET seq = %s WHERE workflow_id = 'run-a' AND seq = %s", [new, old])
    (finding,) = findings()
    assert (finding.chain, finding.seq, finding.what) == ("run-a", 2, "reordered")
    assert "was written as row 3" in finding.message


def test_a_row_that_closes_the_gap_of_another_is_found() -> None:
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {EVENTS} WHERE workflow_id = 'run-a' AND seq = 4")
        cursor.execute(f"UPDATE {EVENTS} SET seq = 4 WHERE workflow_id = 'run-a' AND seq = 5")
    assert found() == [("run-a", 4, "reordered")]


def test_a_row_that_was_moved_to_another_chain_is_found_in_both() -> None:
    tamper(f"UPDATE {EVENTS} SET workflow_id = 'run-b', seq = 6 WHERE workflow_id = 'run-a' AND seq = 2")
    assert found() == [("run-a", 2, "missing"), ("run-b", 6, "changed")]


def test_a_row_that_was_changed_together_with_its_hash_is_found_at_the_next_one() -> None:
    row = AuditEvent.objects.get(workflow_id="run-a", seq=2)
    row.note = "forged"
    tamper(f"UPDATE {EVENTS} SET note = 'forged', hash = %s WHERE id = %s", row.link().hash(), row.pk)
    assert found() == [("run-a", 3, "unlinked")]


def test_a_chain_that_was_rewritten_whole_is_unlike_its_seal() -> None:
    seal()
    prev_hash = ""
    with unguarded():
        for row in AuditEvent.objects.filter(workflow_id="run-a").order_by("seq"):
            row.actor, row.prev_hash = "mallory", prev_hash
            row.hash = prev_hash = row.link().hash()
            row.save()
    (finding,) = findings()
    assert (finding.chain, finding.seq, finding.what, finding.seal) == ("run-a", 5, "rewritten", 1)


def test_a_tail_that_was_cut_off_is_unlike_its_seal() -> None:
    seal()
    tamper(f"DELETE FROM {EVENTS} WHERE workflow_id = 'run-a' AND seq > 3")
    assert found() == [("run-a", 4, "tail-cut")]
    seal()
    assert found() == [("run-a", 4, "tail-cut")], "a later seal does not wash it"


def test_a_tail_that_was_replaced_is_unlike_its_seal() -> None:
    seal()
    tamper(f"DELETE FROM {EVENTS} WHERE workflow_id = 'run-a' AND seq = 5")
    before = AuditEvent.objects.get(workflow_id="run-a", seq=4)
    forged = Link(chain="run-a", seq=5, at=before.at, actor="m", door="api", action="x", note="", data={},
                  prev_hash=before.hash)  # fmt: skip
    AuditEvent.objects.create(
        workflow_id="run-a", seq=5, actor="m", door="api", action="x", hash=forged.hash(), prev_hash=before.hash
    )
    assert [(name, seq) for name, seq, _ in found()] == [("run-a", 5)]


def test_a_chain_that_is_gone_is_found() -> None:
    seal()
    tamper(f"DELETE FROM {EVENTS} WHERE workflow_id = 'run-a'")
    assert found() == [("run-a", 1, "chain-missing")]
    assert found("run-a") == [("run-a", 1, "chain-missing")]


def test_a_table_that_was_emptied_is_found() -> None:
    seal()
    tamper(f"DELETE FROM {EVENTS}")
    assert [what for _, _, what in found()] == ["chain-missing"] * 3


def test_whoever_tampers_with_a_seal_is_found() -> None:
    for _ in range(3):
        chain("run-c", 1)
        seal()
    tamper("UPDATE orchestration_auditseal SET rows = 1 WHERE number = 2")
    assert [(finding.what, finding.seal) for finding in findings()] == [("seal-changed", 2)]


def test_a_seal_that_was_forged_with_its_hash_has_no_signature() -> None:
    made = seal()
    made.rows = 1
    tamper("UPDATE orchestration_auditseal SET rows = 1, hash = %s WHERE number = 1", made.expected_hash())
    assert [(finding.what, finding.seal) for finding in findings()] == [("seal-signature", 1)]


def test_a_seal_that_is_gone_is_found() -> None:
    for _ in range(3):
        seal()
    with unguarded(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM orchestration_sealedhead WHERE seal_id = 2")
        cursor.execute("DELETE FROM orchestration_auditseal WHERE number = 2")
    assert [finding.what for finding in findings()] == ["seal-missing"]


def test_the_last_seal_that_is_gone_is_found_by_who_kept_it() -> None:
    seal()
    kept = seal().hash
    assert verify(kept_seal=kept).is_whole
    tamper("DELETE FROM orchestration_auditseal WHERE number = 2")
    assert verify().is_whole
    assert [finding.what for finding in verify(kept_seal=kept).findings] == ["seal-lost"]


@pytest.mark.parametrize("change", ["DELETE FROM {0} WHERE chain = 'run-a'", "UPDATE {0} SET seq = 4 WHERE chain = ''"])
def test_heads_that_were_changed_are_found(change: str) -> None:
    seal()
    tamper(change.format(SealedHead._meta.db_table))
    assert ("seal-heads", 1) in [(finding.what, finding.seal) for finding in findings()]


def test_triggers_that_are_off_are_named() -> None:
    with unguarded():
        assert {what for _, _, what in found()} == {"unprotected"}
        assert len(found()) == len(triggers.names())
    assert found() == []


def test_what_comes_after_a_seal_breaks_nothing() -> None:
    seal()
    chain("run-a", 3)
    chain("run-new", 1)
    report = verify()
    assert report.is_whole and (report.rows, report.chains, report.seals) == (19, 4, 1)
    second = seal()
    assert (second.rows, second.chains, second.moved) == (19, 4, 2)
    assert AuditSeal.objects.count() == 2 and verify().is_whole
