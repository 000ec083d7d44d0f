"""How each run does, what is usual, and what is done again and again."""

from __future__ import annotations

from django.db import models

from monitoring.core.enums import HealthStatus
from orchestration.models import Run

STATUSES = [(one.value, one.value) for one in HealthStatus]


class RunHealth(models.Model):
    """The last judgement of a run.

    `version`: of the run that it is about; `look_at`: when to judge it again, None: not by itself; `target`: of the
    worst issue; `issues`: as `queries.health.issue_view` shows them; `since`: since when the status is what it is;
    `server`: what Temporal said of the run when it was asked (watch.seldom.workflows); `counted`: what of its run is
    counted (metrics.runs); `matched`: {recovery policy: since when the run matches it, ISO 8601}.
    """

    run = models.OneToOneField(
        Run, primary_key=True, on_delete=models.CASCADE, related_name="health", db_constraint=False
    )
    kind = models.CharField(max_length=30)
    saga_id = models.CharField(max_length=100)
    engine = models.CharField(max_length=20)
    target = models.CharField(max_length=100, blank=True, default="")
    status = models.CharField(max_length=8, choices=STATUSES)
    issues = models.JSONField(default=list)
    since = models.DateTimeField()
    checked_at = models.DateTimeField()
    look_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)
    ended = models.BooleanField(default=False)
    server = models.JSONField(null=True, blank=True)
    counted = models.PositiveSmallIntegerField(default=0, db_default=0)
    matched = models.JSONField(default=dict, db_default={})

    class Meta:
        indexes = [
            # the sweep: what is due
            models.Index(fields=["look_at"], condition=models.Q(look_at__isnull=False), name="health_due"),
            # which sagas are in trouble
            models.Index(fields=["saga_id", "status", "since"], name="health_by_saga"),
            # which hosts and handlers many runs fail at
            models.Index(fields=["target", "status", "since"], name="health_by_target"),
            # how many open runs have which health
            models.Index(fields=["status", "since"], condition=models.Q(ended=False), name="health_open"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.status}"


class Norm(models.Model):
    """How long a step, or with `step_id` '' a run, usually takes. `sketch`: {bucket: weight} (core.norms).

    `purpose`: forward, undo, or `gap` between two facts of a run.
    """

    saga_id = models.CharField(max_length=100)
    step_id = models.CharField(max_length=100, blank=True, default="")
    purpose = models.CharField(max_length=10, default="forward")
    sketch = models.JSONField(default=dict)
    n = models.FloatField(default=0)
    p50 = models.FloatField(null=True, blank=True)
    p95 = models.FloatField(null=True, blank=True)
    p99 = models.FloatField(null=True, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["saga_id", "step_id", "purpose"], name="one_norm")]
        indexes = [models.Index(fields=["updated_at"], name="norm_by_age")]

    def __str__(self) -> str:
        return f"{self.saga_id}:{self.step_id} {self.purpose}"


class Loop(models.Model):
    """Something that is done again and again by whoever is alive. `holder` has it until `until`; `at`: done last.

    `took`: seconds of the last pass; `lag`: how late it was with the oldest thing it did.
    """

    name = models.CharField(max_length=20, primary_key=True)
    holder = models.CharField(max_length=100, blank=True, default="")
    until = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField(null=True, blank=True)
    took = models.FloatField(default=0)
    lag = models.FloatField(default=0)
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
