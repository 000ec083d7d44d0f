from __future__ import annotations

from django.db import models


class Watch(models.Model):
    """The one row that says when a worker last looked for deliveries, by the database's clock."""

    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"seen at {self.seen_at:%Y-%m-%d %H:%M:%S}"


class Outage(models.Model):
    """A time in which no worker looked for deliveries.

    Nothing was sent, and time limits of requests do not count it.
    """

    since = models.DateTimeField()
    until = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["until"]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M:%S} to {self.until:%Y-%m-%d %H:%M:%S}"
