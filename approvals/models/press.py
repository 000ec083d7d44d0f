from __future__ import annotations

from django.db import models


class Press(models.Model):
    """A button that somebody pressed in Slack, as its signed request said. `key`: Slack may send it again."""

    key = models.CharField(max_length=200, unique=True)
    team = models.CharField(max_length=40)
    slack_user = models.CharField(max_length=40)
    value = models.CharField(max_length=300)
    comment = models.TextField(blank=True, default="", help_text="what they wrote with it")
    answers = models.JSONField(default=dict, help_text="what they filled in, by the field of the stage's form")
    response_url = models.CharField(max_length=500, blank=True)
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True, help_text="what the person was told")

    class Meta:
        verbose_name_plural = "presses"
        indexes = [models.Index(fields=["id"], condition=models.Q(done_at=None), name="press_to_do")]

    def __str__(self) -> str:
        return f"{self.slack_user}: {self.value}"
