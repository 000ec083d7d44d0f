from __future__ import annotations

from django.db import models


class Definition(models.Model):
    """A saga definition. A version never changes: other content is another version, found by its hash."""

    saga_id = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    body = models.JSONField()
    warnings = models.JSONField(default=list)
    published_by = models.CharField(max_length=150, blank=True)
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["saga_id", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["saga_id", "version"], name="definition_version"),
            models.UniqueConstraint(fields=["saga_id", "hash"], name="definition_hash"),
        ]

    def __str__(self) -> str:
        return f"{self.saga_id} v{self.version}"
