"""Work that takes longer than a request: done in small portions by whoever watches."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Job(models.Model):
    """One piece of such work. `kind`: dry, back, or act: a verb on the runs of an alert. `body`: what was asked;
    `done` of `of`: how far it is.

    `work`: where it goes on and what it has found so far; `results`: the answer, None until it is done. `lease_until`:
    somebody is at it until then. Kept for thirty days.
    """

    DRY, BACK, ACT = "dry", "back", "act"
    OPEN, DONE, FAILED = "open", "done", "failed"

    kind = models.CharField(max_length=4)
    body = models.JSONField()
    actor = models.CharField(max_length=150)
    state = models.CharField(max_length=6, default=OPEN)
    done = models.PositiveIntegerField(default=0)
    of = models.PositiveIntegerField(default=0)
    work = models.JSONField(default=dict)
    results = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # what is to be gone on with
            models.Index(fields=["state", "lease_until"], condition=Q(state="open"), name="job_open"),
            # what is to be forgotten
            models.Index(fields=["created_at"], name="job_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.kind}"
