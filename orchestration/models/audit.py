from __future__ import annotations

from django.db import models


class AuditEvent(models.Model):
    """Who did what, when, through which door. Written in the transaction of the act; never changed."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=150)
    door = models.CharField(max_length=20, help_text="console, api, admin, python, engine")
    action = models.CharField(max_length=60, help_text="a dotted name, such as run.start or run.abort")
    workflow_id = models.CharField(max_length=200, blank=True, db_index=True)
    note = models.TextField(blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.workflow_id}"
