from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from foundation.outbox.model import OutboxRow


class Press(OutboxRow):
    """A button that was pressed in Slack, as its signed request said. `key`: Slack may send it again.

    status: queued (due at `due_at`), sending (claimed until `lease_until`), answered, dead (nobody could be told).
    `answer` is stored once it is known what came of it, before it is told; `done_at` at the end. Workers of an older
    release know `done_at` alone: whatever has one is done.
    """

    ANSWERED = "answered"
    STATUSES = [(word, word) for word in ("queued", "sending", ANSWERED, "dead")]

    key = models.CharField(max_length=200, unique=True)
    team = models.CharField(max_length=40)
    slack_user = models.CharField(max_length=40)
    value = models.CharField(max_length=300)
    comment = models.TextField(blank=True, default="", help_text="what they wrote with it")
    answers = models.JSONField(default=dict, help_text="what they filled in, by the field of the stage's form")
    response_url = models.CharField(max_length=500, blank=True)
    received_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=STATUSES, default=OutboxRow.QUEUED, db_default=OutboxRow.QUEUED)
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(db_default=Now())
    epoch = models.PositiveIntegerField(default=0, db_default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, help_text="what the person was told")

    class Meta:
        app_label = "approvals"  # which keeps its table, name, permissions and migrations (ADR 10)
        verbose_name_plural = "presses"
        indexes = [models.Index(fields=["id"], condition=models.Q(done_at=None), name="press_to_do")]

    def __str__(self) -> str:
        return f"{self.slack_user}: {self.value}"
