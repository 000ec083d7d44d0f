"""What is done to families that ended long enough ago: their lines go, then their details, then all but their name."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from foundation import audit
from foundation.clock import database_now
from foundation.db import statements
from foundation.identity.actor import Actor
from monitoring.models import Alert, AlertMember, RecoveryAttempt, RunHealth
from monitoring.retention.families import Family, ids_of, with_approval, without
from monitoring.retention.recorded import archived, lock_unchanged, recorded
from orchestration.ledger import removal
from orchestration.models import Archive, Run, RunLine


@dataclass(frozen=True, slots=True)
class Done:
    """`runs`: how many were condensed or removed; `rows`: how many went, by table."""

    runs: int = 0
    rows: Counter[str] = field(default_factory=Counter)


def drop_lines(families: Sequence[Family], by: Actor) -> Done:
    """Delete what their attempts have logged. What else there is of them stays; most have logged nothing."""
    lines = RunLine.objects.filter(run_id__in=_sagas(families)).order_by().values_list("run_id", flat=True)
    gone: Counter[str] = Counter()
    for run_id in lines.distinct():  # a run may have ten thousand
        with statements.writing():
            gone.update({table: removal.delete(table, [run_id]) for table in removal.LINES})
    return Done(rows=gone)


def condense(families: Sequence[Family], by: Actor) -> Done:
    """Keep the last view and the hash of the record of each saga, and delete its details. Approvals stay whole.

    Raises:
        OSError: a record cannot be written into ZEN_ARCHIVE_DIR; nothing is deleted then.
    """
    todo = set(_sagas(families)) - archived(families).keys()
    records = recorded(todo, with_view=True)
    with statements.writing():
        locked = lock_unchanged(without(families, todo - records.keys()), records)
        mine = records.keys() - archived(families).keys()  # another pruner may have been quicker
        runs = [run for run in locked if run.pk in mine]
        ids, at = [run.pk for run in runs], database_now()
        Archive.objects.bulk_create(
            Archive(pk=pk, at=at, sha256=records[pk].sha256, file=records[pk].file, view=records[pk].view) for pk in ids
        )
        rows = Counter({table: removal.delete(table, ids) for table in removal.DETAILS})
        _audit("prune.condensed", runs, by)
    return Done(len(runs), rows)


def remove(families: Sequence[Family], by: Actor) -> Done:
    """Delete them but for a tombstone each. Families with an approval, or in an alert that is firing, stay.

    Raises:
        OSError: as of `condense`.
    """
    families = removable(families)
    hashes = archived(families)
    records = recorded(set(ids_of(families)) - hashes.keys(), with_view=False)
    hashes |= {pk: record.sha256 for pk, record in records.items()}
    with statements.writing():
        runs = lock_unchanged(without(families, set(ids_of(families)) - hashes.keys()), records)
        ids, at = [run.pk for run in runs], statements.moment(database_now())
        removal.bury(
            (run.workflow_id, run.status, statements.moment(run.finished_at), at, hashes[run.pk]) for run in runs
        )
        rows = Counter({table: removal.delete(table, ids) for table in (*removal.DETAILS, *removal.WITH_THE_RUN)})
        for model in (AlertMember, RecoveryAttempt, RunHealth):
            table = model._meta.db_table  # noqa: SLF001 - public
            rows[table] = removal.delete(table, ids)
        rows["orchestration_run"] = removal.delete("orchestration_run", ids, column="id")
        rows["orchestration_definition"] = removal.delete_own_definitions(run.definition_id for run in runs)
        _audit("prune.removed", runs, by)
    return Done(len(runs), rows)


def removable(families: Sequence[Family]) -> list[Family]:
    """Those without an approval, and of which no run is in an alert that is firing, or in the hands of recovery."""
    ids = ids_of(families)
    told = AlertMember.objects.filter(run_id__in=ids, alert__state=Alert.FIRING, left_at=None)
    mended = RecoveryAttempt.objects.filter(run_id__in=ids, state__in=RecoveryAttempt.OPEN)
    kept = {pk for rows in (told, mended) for pk in rows.values_list("run_id", flat=True)}
    return without(families, with_approval(families) | kept)


def condensed(run_ids: Collection[int]) -> set[int]:
    """Those of these runs that are condensed."""
    return set(Archive.objects.filter(pk__in=run_ids).values_list("pk", flat=True))


def to_condense(families: Sequence[Family]) -> int:
    """How many sagas of these families are not condensed yet."""
    return len(set(_sagas(families)) - archived(families).keys())


def _sagas(families: Sequence[Family]) -> list[int]:
    return [one.pk for family in families for one in family if one.kind in Run.SAGAS]


def _audit(action: str, runs: Sequence[Run], by: Actor) -> None:
    """In the transaction of what it tells: how many, and the hash of their ids, a line each in order."""
    if not runs:
        return
    names = sorted(run.workflow_id for run in runs)
    digest = hashlib.sha256("".join(f"{name}\n" for name in names).encode()).hexdigest()
    audit.record(actor=by, action=action, runs=len(runs), first=names[0], last=names[-1], ids_sha256=digest)
