"""What is measured over time."""

from __future__ import annotations

from django.db import models


class Series(models.Model):
    """A metric with its labels. `key`: 16 hexadecimal digits that stand for both."""

    name = models.CharField(max_length=80)
    labels = models.JSONField(default=dict)
    key = models.CharField(max_length=16, unique=True)

    class Meta:
        indexes = [
            # all series of a metric
            models.Index(fields=["name"], name="series_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name}{self.labels}"


class Point(models.Model):
    """What came to a series within a minute, an hour or a day, or in all.

    `at`: its beginning. `part`: what one process brought, until it is folded into the row without a part.
    `hist`: {bucket: how many} of a distribution (foundation.telemetry), {} of a counter.
    """

    MINUTE, HOUR, DAY, ALL = "m", "h", "d", "t"

    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="points", db_index=False)
    res = models.CharField(max_length=1)
    at = models.DateTimeField()
    part = models.CharField(max_length=120, blank=True, default="")
    count = models.FloatField(default=0)
    total = models.FloatField(default=0)
    hist = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "res", "at", "part"], name="one_point")]
        indexes = [
            # what is too old
            models.Index(fields=["res", "at"], name="point_by_age"),
            # what is not folded yet
            models.Index(fields=["id"], condition=models.Q(part__gt=""), name="point_to_fold"),
        ]

    def __str__(self) -> str:
        return f"{self.series_id} {self.res} {self.at}"
