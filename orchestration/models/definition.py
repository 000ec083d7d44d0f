from __future__ import annotations

from django.db import models


class Definition(models.Model):
    """A saga definition. A version never changes: other content is another version, found by its hash.

    `listed`: it was published, so a start or a child may name it. One that is not came in with a run, whose starter may
    not publish, or with a step: it belongs to the runs that have it, is known by its hash and has version 0.
    """

    saga_id = models.CharField(max_length=100)
    version = models.PositiveIntegerField(help_text="0: it came in with a run")
    listed = models.BooleanField(default=True, db_default=True, help_text="published: a start or a child may name it")
    hash = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    body = models.JSONField()
    warnings = models.JSONField(default=list)
    published_by = models.CharField(max_length=150, blank=True)
    published_by_id = models.BigIntegerField(null=True, blank=True, help_text="the account")
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["saga_id", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["saga_id", "version"], condition=models.Q(version__gt=0), name="definition_version"
            ),
            models.UniqueConstraint(fields=["saga_id", "hash", "listed"], name="definition_hash"),
        ]

    def __str__(self) -> str:
        return f"{self.saga_id} v{self.version}" if self.listed else f"{self.saga_id} inline:{self.hash[:12]}"
