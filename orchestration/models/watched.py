"""What monitoring reads of runs: that something of note has happened, and the lines that attempts have logged."""

from __future__ import annotations

from django.db import models

from orchestration.core.enums import Purpose
from orchestration.models.run import OF_A_RUN, Run, choices


class News(models.Model):
    """A run has begun, ended, stopped or met trouble; written in the transaction of the fact.

    A queue: whoever takes a row deletes it in the same transaction. It tells nothing that the run's own rows do not, so
    a lost one costs no more than time. `run_id` is no foreign key: a run's removal leaves nothing to keep.
    """

    STARTED, DONE, ENDED, STOPPED, TROUBLE = "started", "done", "ended", "stopped", "trouble"
    """`done`: it completed; `ended`: otherwise."""

    run_id = models.BigIntegerField()
    kind = models.CharField(max_length=8)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.run_id} {self.kind}"


class RunLine(models.Model):
    """A line that was logged under an attempt, or that its script printed; without secrets.

    `n`: its number within the attempt, from 1. `level`: as of Python's logging.
    """

    run = models.ForeignKey(Run, related_name="lines", **OF_A_RUN)
    step_id = models.CharField(max_length=100)
    purpose = models.CharField(max_length=10, choices=choices(Purpose), default=Purpose.FORWARD)
    iteration = models.PositiveIntegerField(default=1)
    attempt = models.PositiveIntegerField(default=1)
    n = models.PositiveIntegerField()
    at = models.DateTimeField()
    level = models.PositiveSmallIntegerField(default=20)
    logger = models.CharField(max_length=100)
    text = models.TextField()
    trace_id = models.CharField(max_length=32, blank=True, default="")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step_id", "purpose", "iteration", "attempt", "n"], name="one_row_per_line"
            )
        ]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.step_id}:{self.attempt}:{self.n}"
