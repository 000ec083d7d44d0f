"""Each row names the form of canonical JSON it was hashed in: old ones keep theirs, new ones have RFC 8785's."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from foundation import audit
from foundation.audit import log, signing_key
from foundation.audit.export import exported
from foundation.audit.seal import seal
from foundation.canonical_json import JCS, OWN, form_of, jcs, moment
from foundation.models import AuditEvent
from tests.foundation.audit.scenes import ALICE, chain, found, tamper
from tests.system.crash.workers import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
BIG = 2**63 - 1


def as_before(monkeypatch: pytest.MonkeyPatch, name: str, rows: int) -> None:
    """Rows as a release wrote them that knew one form."""
    with monkeypatch.context() as patch:
        patch.setattr(log, "in_latest_form", lambda link: (link, link.hash()))
        chain(name, rows)


def test_a_new_row_is_hashed_as_rfc_8785_says_with_its_version() -> None:
    audit.record(actor=ALICE, action="run.hold", workflow_id="run-ä", note="€\n", least=1e-7, half=2.0, more=1.5)
    row = AuditEvent.objects.get()
    told = (
        '{"action":"run.hold","actor":"alice","at":"%s","chain":"run-ä","data":{"half":2,"least":1e-7,"more":1.5},'
        '"door":"console","hash_version":2,"note":"€\\n","prev_hash":"","seq":1}'
    )
    assert row.hash == hashlib.sha256((told % moment(row.at)).encode()).hexdigest()


@pytest.mark.parametrize("value", [BIG, [-(2**53)], {"id": 2**53}])
def test_a_number_of_64_bits_is_kept_in_our_own_form(value: Any) -> None:
    audit.record(actor=ALICE, action="run.hold", workflow_id="run-a", value=value)
    chain("run-a", 2)
    assert [row.hash_version for row in AuditEvent.objects.order_by("seq")] == [OWN, JCS, JCS]
    assert AuditEvent.objects.get(seq=1).data == {"value": value} and found() == []


def test_old_rows_keep_their_form_and_new_ones_follow_them(monkeypatch: pytest.MonkeyPatch) -> None:
    as_before(monkeypatch, "run-a", 3)
    chain("run-a", 2)
    assert [row.hash_version for row in AuditEvent.objects.order_by("seq")] == [OWN, OWN, OWN, JCS, JCS]
    assert ["hash_version" in row for row in exported(chain="run-a")] == [False, False, False, True, True]
    assert found() == []


@pytest.mark.parametrize(("seq", "version"), [(1, JCS), (4, OWN), (4, 9)])
def test_a_row_that_was_given_another_form_is_found(monkeypatch: pytest.MonkeyPatch, seq: int, version: int) -> None:
    as_before(monkeypatch, "run-a", 2)
    chain("run-a", 3)
    tamper("UPDATE orchestration_auditevent SET hash_version = %s WHERE seq = %s", version, seq)
    assert found() == [("run-a", seq, "changed")]


def test_a_row_that_was_changed_to_what_its_form_cannot_hold_is_found() -> None:
    chain("run-a", 2)
    tamper("UPDATE orchestration_auditevent SET data = %s WHERE seq = 2", json.dumps({"id": BIG}))
    assert found() == [("run-a", 2, "changed")]


def test_a_stranger_verifies_a_chain_of_both_forms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    as_before(monkeypatch, "run-ä", 2)
    audit.record(actor=ALICE, action="run.hold", workflow_id="run-ä", note="Größe", id=BIG)
    audit.record(actor=ALICE, action="run.hold", workflow_id="run-ä", note="Größe", share=0.1)
    seal()
    (text,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "reference" / "audit.md").read_text(), re.DOTALL)
    program = tmp_path / "verify_audit.py"
    program.write_text(text)
    lines = [json.dumps(value) for value in exported()]

    def says(lines: list[str]) -> str:
        command = [sys.executable, "-I", str(program), signing_key.public_key()]
        done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=False)
        return done.stdout or done.stderr

    assert says(lines) == "whole: 4 rows, 1 seals\n"
    for number in range(4):
        forged = [line.replace("alice", "mallory") if at == number else line for at, line in enumerate(lines)]
        assert says(forged).startswith("NOT WHOLE"), number
    relabelled = [
        json.dumps({**json.loads(line), "hash_version": JCS}) if at == 2 else line for at, line in enumerate(lines)
    ]
    assert says(relabelled) == "NOT WHOLE: row 3 of chain 'run-ä'\n"


@pytest.mark.parametrize(
    ("value", "spelt"),
    [
        ([56.0, 333333333.33333329, 1e-27, 4.50, 2e-3], b"[56,333333333.3333333,1e-27,4.5,0.002]"),
        ({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7},
         '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"\U0001f600":5,"\ufb33":3}'.encode()),
    ],
)  # fmt: skip
def test_the_form_is_that_of_the_rfc(value: Any, spelt: bytes) -> None:
    """The RFC's own examples of numbers (shortened) and of the order of keys, 3.2.2 and 3.2.3."""
    assert jcs(value) == spelt


@pytest.mark.parametrize("value", [2**53, -(2**53), 1e300, "\ud800", {"\ud800": 1}])
def test_what_the_form_cannot_hold_has_our_own(value: Any) -> None:
    assert form_of({"a": [value]}) == OWN
    assert form_of({"a": [2**53 - 1, "ö"]}) == JCS
