"""The views of health."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import number, one_of, query
from foundation.api.docs import LIMIT, WORKFLOW_ID, answers
from foundation.api.views import Door
from foundation.identity.authentication import actor_of
from monitoring.api.serializers import STATUSES, Dashboard, HealthCheckOut, HealthPage, NormOut
from monitoring.core.detectors import CODES
from monitoring.dashboard import dashboard
from monitoring.health_check import check_health
from monitoring.models import RunHealth
from monitoring.queries.health import health_view
from monitoring.queries.lists import norm_rows, runs_by_health


class MonitoringDashboard(Door):
    @extend_schema(operation_id="monitoring_dashboard", responses=answers({200: Dashboard}))
    def get(self, request: Request) -> Response:
        return Response(dashboard())


class MonitoringRuns(Door):
    @extend_schema(
        operation_id="monitoring_runs",
        parameters=[
            OpenApiParameter("status", str, enum=STATUSES),
            OpenApiParameter("saga_id", str),
            OpenApiParameter("issue", str, enum=list(CODES)),
            OpenApiParameter("target", str),
            OpenApiParameter("offset", {"type": "integer", "minimum": 0, "maximum": 100_000}),
            LIMIT,
        ],
        responses=answers({200: HealthPage}, 422),
    )
    def get(self, request: Request) -> Response:
        found = runs_by_health(
            status=one_of(request, "status", STATUSES), saga_id=query(request, "saga_id"),
            issue=one_of(request, "issue", CODES), target=query(request, "target"),
        )  # fmt: skip
        return _page(request, found)


def _page(request: Request, found: QuerySet[RunHealth]) -> Response:
    """By offset: the order is by how bad it is, which changes under way."""
    limit = number(request, "limit", 50, least=1, most=200)
    offset = number(request, "offset", 0, most=100_000)
    rows = list(found[offset : offset + limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    return Response(
        {
            "next": _link(request, offset + limit) if more else None,
            "previous": _link(request, max(0, offset - limit)) if offset else None,
            "results": [health_view(row) for row in rows],
        }
    )


def _link(request: Request, offset: int) -> str:
    given = request.query_params.copy()
    given["offset"] = str(offset)
    return f"{request.build_absolute_uri(request.path)}?{given.urlencode()}"


class MonitoringNorms(Door):
    @extend_schema(
        operation_id="monitoring_norms",
        parameters=[OpenApiParameter("saga_id", str)],
        responses=answers({200: NormOut(many=True)}),
    )
    def get(self, request: Request) -> Response:
        return Response(norm_rows(query(request, "saga_id")))


class RunHealthNow(Door):
    @extend_schema(operation_id="runs_health", parameters=[WORKFLOW_ID], responses=answers({200: HealthCheckOut}, 404))
    def get(self, request: Request, workflow_id: str) -> Response:
        return Response(check_health(workflow_id, actor_of(request.user)).as_json())
