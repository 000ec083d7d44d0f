"""Runs that completed without anything of note: healthy, and stored in one statement.

Most runs do. They are judged one by one only where something could be hidden (a step that was left out, a run below),
where something was wrong before, which alerts and parents are to hear the end of, or where what is usual is learnt from
them.
"""

from __future__ import annotations

from collections.abc import Sequence

from foundation.clock import database_now
from foundation.db import statements
from monitoring.core.enums import HealthStatus
from monitoring.metrics.runs import count_runs
from monitoring.models import Norm
from monitoring.watch.judge import MUCH, NEWER, ONE_IN
from orchestration.core.enums import RunStatus, StepStatus, UndoStatus
from orchestration.models import Run

OF_NOTE = (StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.SKIPPED)

_STORE = """
INSERT INTO monitoring_runhealth
  (run_id, kind, saga_id, engine, target, status, issues, since, checked_at, look_at, version, ended, matched)
SELECT r.id, r.kind, d.saga_id, r.engine, '', %s, '[]', r.finished_at, %s, NULL, r.version, TRUE, '{{}}'
FROM orchestration_run r JOIN orchestration_definition d ON d.id = r.definition_id
WHERE r.id IN ({ids}) AND r.kind = %s AND r.status = %s AND r.finished_at IS NOT NULL AND d.saga_id IN ({sagas})
  AND NOT EXISTS (
    SELECT 1 FROM orchestration_step s
    WHERE s.run_id = r.id AND (s.status IN (%s, %s, %s) OR s.undo <> %s)
  )
  AND NOT EXISTS (SELECT 1 FROM orchestration_run c WHERE c.parent_id = r.id)
ON CONFLICT {newer} AND monitoring_runhealth.status = excluded.status RETURNING run_id
"""


def store_completed(run_ids: Sequence[int]) -> set[int]:
    """Store those of these runs that completed with nothing to tell and teach nothing; returns which.

    One run in ten is left for learning, and every run of a saga of which little is known.
    """
    ids = [pk for pk in run_ids if pk % ONE_IN]
    sagas = list(Norm.objects.filter(step_id="", purpose="forward", n__gte=MUCH).values_list("saga_id", flat=True))
    if not ids or not sagas:
        return set()
    text = _STORE.format(ids=_marks(ids), sagas=_marks(sagas), newer=NEWER)
    values = [
        HealthStatus.HEALTHY.value, statements.moment(database_now()), *ids, Run.SAGA, RunStatus.COMPLETED.value,
        *sagas, *(one.value for one in OF_NOTE), UndoStatus.NOT_NEEDED.value,
    ]  # fmt: skip
    with statements.writing():
        stored = {pk for (pk,) in statements.rows_of(statements.Statement(text, values))[0]}
        count_runs(list(stored))
    return stored


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))
