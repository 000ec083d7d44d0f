"""The rows that were written before there were chains get theirs; and all of it can be taken back."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.support.servers.environment import database_url
from tests.system.crash.workers import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
Manage = Callable[..., subprocess.CompletedProcess[str]]

OLD_ROWS = """
from django.db import connection
with connection.cursor() as cursor:
    for number in range(2500):
        cursor.execute(
            "INSERT INTO orchestration_auditevent (at, actor, door, action, workflow_id, note, data)"
            " VALUES (%s, 'alice', 'api', 'run.hold', %s, 'n', %s)",
            [f"2026-11-0{1 + number % 9} 10:00:00.123456+00:00"[: 32 if connection.vendor == "postgresql" else 26],
             ["", "run-a", "run-ä"][number % 3], '{"half": 2.0, "step_id": "s"}'],
        )
"""


@pytest.fixture
def empty_database(tmp_path: Path) -> Iterator[str]:
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.sqlite3"
        return
    name = f"zen_{uuid.uuid4().hex[:12]}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{database_url().rpartition('/')[0]}/{name}"
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def manage(process_env: dict[str, str], empty_database: str) -> Manage:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        env = process_env | {"DATABASE_URL": empty_database}
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


def test_old_rows_are_chained_and_the_tables_can_be_taken_away(manage: Manage) -> None:
    manage("migrate", "orchestration", "0004", "-v0")
    manage("shell", "-v0", "-c", OLD_ROWS)
    manage("migrate", "-v0")
    told = json.loads(manage("audit", "verify", "--json").stdout)
    assert told == {"whole": True, "rows": 2500, "chains": 3, "seals": 0, "findings": []}
    manage("audit", "seal")
    manage("migrate", "orchestration", "zero", "-v0")
    manage("migrate", "-v0")
    assert json.loads(manage("audit", "verify", "--json").stdout)["rows"] == 0


OLD_SEAL = """
from foundation.audit import signing_key as signing
from foundation.audit.heads import digest
from foundation.canonical_json import Link
from foundation.db import statements
from foundation.clock import now
from foundation.models import AuditEvent, AuditSeal, SealedHead
ends = {}
for number in range(4):
    chain, seq, at = f"run-{number % 2}", number // 2 + 1, now()
    before = ends.get(chain, "")
    ends[chain] = Link(chain=chain, seq=seq, at=at, actor="ada", door="api", action="x", note="", data={},
                       prev_hash=before).hash()
    row = (chain, seq, statements.moment(at), "ada", "api", "x", "", "{}", before, ends[chain])
    columns = "workflow_id, seq, at, actor, door, action, note, data, prev_hash, hash"
    statements.run(*statements.insert("orchestration_auditevent", columns, [row]))
heads = sorted(AuditEvent.objects.filter(seq=2).values_list("workflow_id", "seq", "hash"))
seal = AuditSeal(number=1, at=now(), rows=4, chains=2, moved=2, key_id=signing.key_id(), digest=digest(heads))
seal.hash = seal.expected_hash()
seal.signature = signing.sign(seal.signed_bytes())
seal.save(force_insert=True)
for chain, seq, known in heads:
    SealedHead.objects.create(seal=seal, chain=chain, seq=seq, hash=known)
"""


def test_seals_from_before_they_were_made_in_pages_hold_and_are_gone_on_with(manage: Manage) -> None:
    manage("migrate", "orchestration", "0011", "-v0")
    manage("shell", "-v0", "-c", OLD_SEAL)
    manage("migrate", "-v0")
    manage("audit", "seal")
    told = json.loads(manage("audit", "verify", "--json").stdout)
    assert told == {"whole": True, "rows": 4, "chains": 2, "seals": 2, "findings": []}
    seals = [json.loads(line) for line in manage("audit", "export").stdout.splitlines() if '"seal"' in line]
    assert [(seal["rows"], seal["chains"], seal["moved"]) for seal in seals] == [(4, 2, 2), (4, 2, 0)]
    manage("migrate", "orchestration", "0011", "-v0")
    missing = (
        "from django.db import connection; from foundation.audit import triggers; print(triggers.missing(connection))"
    )
    assert manage("shell", "-v0", "-c", missing).stdout.strip() == "[]", "the triggers are on again, too"
    manage("migrate", "-v0")
    assert json.loads(manage("audit", "verify", "--json").stdout)["whole"]
