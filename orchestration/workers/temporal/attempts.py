"""The attempt's row: written `running` before the call goes out, fenced by its epoch."""

from __future__ import annotations

from collections.abc import Sequence

from foundation.clock import now
from foundation.db import statements
from orchestration.core.saga.commands import RunAction
from orchestration.models import Command, Run
from orchestration.workers.lease import worker_name

_RETURNED = ("id", "epoch", "tries", "cancel_requested")

_CLAIM = """
INSERT INTO orchestration_command (
    run_id, kind, timer, step_id, purpose, iteration, attempt, alternative, queue, due_at, started_at, worker,
    status, epoch, tries, cancel_requested, outcome, maybe, error, detail
) VALUES (%s, %s, '', %s, %s, %s, %s, %s, %s, %s, %s, %s, 'running', 1, 1, %s, '', %s, '', '{}')
ON CONFLICT (run_id, kind, timer, step_id, purpose, iteration, attempt) DO UPDATE SET
    status = 'running', worker = excluded.worker, started_at = excluded.started_at,
    epoch = orchestration_command.epoch + 1,
    tries = orchestration_command.tries
        + CASE WHEN orchestration_command.epoch IN (MINE) AND orchestration_command.worker = excluded.worker
            THEN 0 ELSE 1 END
WHERE orchestration_command.status <> 'done'
RETURNING """ + ", ".join(_RETURNED)


def claim(run: Run, command: RunAction, *, given: Sequence[int] = ()) -> Command | None:
    """Claim the attempt: its row, or None when an earlier try has ended it. Inside the caller's transaction.

    `given`: the epochs of earlier claims by this same try whose COMMIT was never answered. Where the row still has one
    of them it counts as one try; otherwise that claim was rolled back, and an earlier try may have sent something.
    """
    moment, worker = now(), worker_name()
    at = statements.moment(moment)
    fields = attempt_of(command)
    mine = given or (0,)  # 0: of no claim
    values = [run.pk, *fields.values(), command.alternative, command.queue, at, at, worker, False, False, *mine]
    text = _CLAIM.replace("MINE", ", ".join(["%s"] * len(mine)))
    for found in statements.rows_of(statements.Statement(text, values))[0]:
        held = dict(zip(_RETURNED, found, strict=True))
        return Command(
            run=run, **fields, **held, alternative=command.alternative, queue=command.queue,
            due_at=moment, status=Command.RUNNING, worker=worker, started_at=moment,
        )  # fmt: skip
    return None


def attempt_of(command: RunAction) -> dict[str, object]:
    """What names an attempt within its run, in the order of the statement above."""
    return {
        "kind": command.kind,
        "step_id": command.step_id,
        "purpose": command.purpose.value,
        "iteration": command.iteration,
        "attempt": command.attempt,
    }
