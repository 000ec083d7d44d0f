from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import body_of, number, one_of, query, words
from foundation.api.docs import AFTER, LIMIT, STEP_ID, WORKFLOW_ID, answers
from foundation.api.views import Door
from foundation.errors import BadInput
from foundation.identity.actor import Actor
from foundation.identity.authentication import actor_of
from orchestration import ports
from orchestration.api.forms import StartIn
from orchestration.api.serializers import AttemptPage, EventPage, RunOut, RunPage, Why
from orchestration.api.views_definitions import Pages
from orchestration.core.enums import RunStatus
from orchestration.models import Run
from orchestration.runs import get_run, queries, start_run
from orchestration.runs.allowed_actions import with_allowed_actions
from orchestration.runs.attempts import attempt_views
from orchestration.runs.definitions import published_body
from orchestration.runs.waiting_reasons import why

ENGINES = ("temporal", "celery")
STATUSES = [status.value for status in RunStatus]


def shown(run: Run, actor: Actor) -> Response:
    return Response(with_allowed_actions(run, queries.run_view(run), actor))


class Runs(Door):
    @extend_schema(
        operation_id="runs_list",
        parameters=[
            OpenApiParameter("status", str, enum=STATUSES, many=True),
            OpenApiParameter("saga_id", str),
            OpenApiParameter("engine", str, enum=list(ENGINES)),
            OpenApiParameter("kind", str, enum=ports.kinds()),
            OpenApiParameter("workflow_id", str, description="the ids that begin so"),
            LIMIT,
            OpenApiParameter("cursor", str),
        ],
        responses=answers({200: RunPage}, 404, 422),
    )
    def get(self, request: Request) -> Response:
        asked = words(request, "status", STATUSES)
        engine = one_of(request, "engine", ENGINES)
        kind = one_of(request, "kind", ports.kinds())
        found = queries.runs(statuses=asked, saga_id=query(request, "saga_id"), engine=engine, run_kind=kind)
        if prefix := query(request, "workflow_id"):
            found = found.filter(workflow_id__startswith=prefix)
        pages = Pages()
        rows = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response([queries.run_row(run) for run in rows])

    @extend_schema(
        operation_id="runs_start",
        request=StartIn,
        responses=answers({200: RunOut, 201: RunOut}, 404, 415, 422, 503),
    )
    def post(self, request: Request) -> Response:
        form = StartIn(data=body_of(request))
        form.is_valid(raise_exception=True)
        given: dict[str, Any] = form.validated_data
        actor = actor_of(request.user)
        run, new = start_run(
            definition=_definition(given),
            actor=actor,
            workflow_id=given.get("workflow_id", ""),
            engine=given.get("engine", ""),
            context=given.get("context"),
            config=given.get("config"),
        )
        run = get_run(run.workflow_id)
        where = request.build_absolute_uri(reverse("api-run", args=[run.workflow_id]))
        answer = with_allowed_actions(run, queries.run_view(run), actor)
        return Response(answer, status=201 if new else 200, headers={"Location": where})


def _definition(given: dict[str, Any]) -> Any:
    if ("definition" in given) == ("saga_id" in given):
        raise BadInput("give either a definition or a saga_id", field="definition")
    if "definition" in given:
        return given["definition"]
    return published_body(given["saga_id"], given.get("version"))


class RunDetail(Door):
    @extend_schema(operation_id="runs_read", parameters=[WORKFLOW_ID], responses=answers({200: RunOut}, 404))
    def get(self, request: Request, workflow_id: str) -> Response:
        return shown(get_run(workflow_id), actor_of(request.user))


class RunEvents(Door):
    @extend_schema(
        operation_id="runs_events",
        parameters=[WORKFLOW_ID, AFTER, LIMIT],
        responses=answers({200: EventPage}, 404, 422),
    )
    def get(self, request: Request, workflow_id: str) -> Response:
        after, limit = number(request, "after", 0), number(request, "limit", 100, least=1, most=200)
        rows = list(queries.run_events(get_run(workflow_id), after=after)[: limit + 1])
        more, rows = len(rows) > limit, rows[:limit]
        here = request.build_absolute_uri(request.path)
        link = f"{here}?after={rows[-1].seq}&limit={limit}" if more else None
        return Response({"next": link, "results": [queries.event_view(row) for row in rows]})


class RunAttempts(Door):
    @extend_schema(
        operation_id="runs_attempts",
        parameters=[WORKFLOW_ID, AFTER, LIMIT, STEP_ID],
        responses=answers({200: AttemptPage}, 404, 422),
    )
    def get(self, request: Request, workflow_id: str) -> Response:
        after, limit = number(request, "after", 0), number(request, "limit", 100, least=1, most=200)
        step_id = query(request, "step_id")
        found = attempt_views(get_run(workflow_id), step_id=step_id, after=after, limit=limit + 1)
        more, found = len(found) > limit, found[:limit]
        asked = {"step_id": step_id} if step_id else {}
        onward = urlencode({"after": found[-1]["number"], "limit": limit, **asked}) if more else ""
        here = request.build_absolute_uri(request.path)
        return Response({"next": f"{here}?{onward}" if more else None, "results": found})


class RunWhy(Door):
    @extend_schema(operation_id="runs_why", parameters=[WORKFLOW_ID], responses=answers({200: Why}, 404))
    def get(self, request: Request, workflow_id: str) -> Response:
        run = get_run(workflow_id)
        return Response({"workflow_id": workflow_id, "status": run.status, "lines": why(run)})
