"""The view of metrics over time."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import one_of, query
from foundation.api.docs import answers
from foundation.api.views import Door
from foundation.errors import BadInput
from monitoring.api.serializers import SeriesOut
from monitoring.queries.families import FAMILIES
from monitoring.queries.series import STEPS, series_by

LABELS = ("saga_id", "engine", "status", "kind")


class MonitoringSeries(Door):
    @extend_schema(
        operation_id="monitoring_series",
        description="A metric over time, one point for each minute (m), hour (h) or day (d), 2,000 at most. "
        "`by` splits it by a label.",
        parameters=[
            OpenApiParameter("name", str, enum=list(FAMILIES), required=True),
            *(OpenApiParameter(label, str) for label in LABELS),
            OpenApiParameter("by", str, enum=list(LABELS)),
            OpenApiParameter("from", datetime),
            OpenApiParameter("to", datetime),
            OpenApiParameter("step", str, enum=list(STEPS)),
        ],
        responses=answers({200: SeriesOut}, 422),
    )
    def get(self, request: Request) -> Response:
        name, step = query(request, "name"), one_of(request, "step", list(STEPS)) or "h"
        by = one_of(request, "by", LABELS)
        labels = {label: query(request, label) for label in LABELS if label in request.query_params}
        found = series_by(name, by, labels, _moment(request, "from"), _moment(request, "to"), step)
        groups = [
            {"labels": labels | ({by: value} if by else {}), "points": [point.as_json() for point in points]}
            for value, points in sorted(found.items())
        ]
        return Response({"name": name, "step": step, "series": groups})


def _moment(request: Request, name: str) -> datetime | None:
    raw = query(request, name)
    if not raw and name not in request.query_params:
        return None
    try:
        moment = parse_datetime(raw.replace(" ", "+"))  # a plus sign that was not escaped
    except ValueError:
        moment = None
    if moment is None:
        remedy = "such as 2026-11-27T12:00:00Z"
        raise BadInput(f"'{raw[:40]}' is not a moment", field=name, remedy=remedy)
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
