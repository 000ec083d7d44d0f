from __future__ import annotations

from django.db import models


class Policy(models.Model):
    """Who decides what. A version never changes: other content is another version, found by its hash.

    The content of an older version that is published again is a new version too: the latest one is what counts.
    """

    name = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    hash = models.CharField(max_length=64)
    body = models.JSONField()
    published = models.BooleanField(default=True, help_text="not so where a step named its approvers itself")
    published_by = models.CharField(max_length=150, blank=True)
    published_by_id = models.BigIntegerField(null=True, blank=True, help_text="the account")
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "-version"]
        verbose_name_plural = "policies"
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="policy_version")]
        indexes = [
            # a request that asks for a policy in other words, and publishing what is there
            models.Index(fields=["name", "hash"], name="policy_by_content"),
        ]

    def __str__(self) -> str:
        """Only what was published has a version that one can look up; the rest belongs to single requests."""
        return f"{self.name} v{self.version}" if self.published else self.name.replace("-", " ")
