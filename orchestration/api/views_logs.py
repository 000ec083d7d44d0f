from __future__ import annotations

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import number, one_of, query
from foundation.api.docs import STEP_ID, WORKFLOW_ID, answers
from foundation.api.views import Door
from orchestration.api.serializers import LogPage
from orchestration.runs import get_run, run_log

MOST = 1000
CURSOR = OpenApiParameter("after", str, description="the `seq` of an entry: what comes behind it")
LEVEL = OpenApiParameter("level", str, enum=list(run_log.LEVELS), description="this one and those above it")


class RunLogs(Door):
    @extend_schema(
        operation_id="runs_logs",
        parameters=[
            WORKFLOW_ID, CURSOR, LEVEL, STEP_ID,
            OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST}),
        ],
        responses=answers({200: LogPage}, 404, 422),
    )  # fmt: skip
    def get(self, request: Request, workflow_id: str) -> Response:
        limit, after = number(request, "limit", 100, least=1, most=MOST), query(request, "after")
        asked = {"step_id": query(request, "step_id"), "level": one_of(request, "level", run_log.LEVELS)}
        entries = run_log.log_entries(get_run(workflow_id), after=after, limit=limit, **asked)
        more = QueryDict(mutable=True)
        more.update({name: value for name, value in asked.items() if value})
        more.update({"after": entries[-1]["seq"] if entries else "", "limit": str(limit)})
        here = request.build_absolute_uri(request.path)
        return Response({"next": f"{here}?{more.urlencode()}" if len(entries) == limit else None, "results": entries})
