"""What stays of runs that ended long ago (docs/howto/retention.md)."""

from __future__ import annotations

from django.db import models

from orchestration.models.run import Run


class Archive(models.Model):
    """A run that was condensed at `at`: its events, attempts, messages and lines are gone, its steps stay.

    `view`: what the doors showed of it last, 64 KiB at most. `sha256`: of its record, a JSON line for each row;
    `file`: where that was written, below ZEN_ARCHIVE_DIR, '' where none was set.
    """

    run = models.OneToOneField(Run, primary_key=True, on_delete=models.CASCADE, related_name="archive")
    at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)
    file = models.CharField(max_length=300, blank=True, default="")
    view = models.JSONField()

    def __str__(self) -> str:
        return f"{self.run_id} {self.sha256[:12]}"


class Tombstone(models.Model):
    """A run that was removed. Its id is never used again, since its chain of the audit stays.

    `sha256`: of its record, as its `Archive` had it.
    """

    workflow_id = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=24)
    ended_at = models.DateTimeField()
    removed_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["-id"]
        verbose_name = "removed run"

    def __str__(self) -> str:
        return self.workflow_id
