"""The views of projects."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import body_of
from foundation.api.docs import LIMIT, WORKFLOW_ID, answers
from foundation.api.views import Door
from foundation.identity.actor import Actor
from foundation.identity.authentication import actor_of
from orchestration.api.projects.serializers import (
    CostsOut,
    EvidenceOut,
    PlanOut,
    ProjectChecked,
    ProjectIn,
    ProjectOut,
    ProjectRequirement,
    ProjectSpecIn,
    ProjectTaskTried,
)
from orchestration.api.serializers import RunPage
from orchestration.api.views_definitions import Pages
from orchestration.models import Run
from orchestration.projects.queries import (
    costs_view,
    evidence_view,
    get_project,
    plan_view,
    project_view,
    task_views,
)
from orchestration.projects.start import prepared, start_project
from orchestration.runs import queries
from orchestration.runs.allowed_actions import with_allowed_actions


def shown(run: Run, actor: Actor) -> dict[str, Any]:
    return with_allowed_actions(run, project_view(run), actor)


class Projects(Door):
    @extend_schema(
        operation_id="projects_list",
        parameters=[LIMIT, OpenApiParameter("cursor", str)],
        responses=answers({200: RunPage}, 404, 422),
    )
    def get(self, request: Request) -> Response:
        pages = Pages()
        rows = pages.paginate_queryset(queries.runs(run_kind=Run.PROJECT), request, view=self) or []
        return pages.get_paginated_response([queries.run_row(run) for run in rows])

    @extend_schema(
        operation_id="projects_start",
        request=ProjectIn,
        responses=answers({200: ProjectOut, 201: ProjectOut}, 415, 422, 503),
    )
    def post(self, request: Request) -> Response:
        form = ProjectIn(data=body_of(request))
        form.is_valid(raise_exception=True)
        given: dict[str, Any] = form.validated_data
        actor = actor_of(request.user)
        run, new = start_project(
            spec=given["project_spec"],
            config=given.get("config"),
            actor=actor,
            workflow_id=given.get("workflow_id", ""),
            engine=given.get("engine", ""),
        )
        where = request.build_absolute_uri(reverse("api-project", args=[run.workflow_id]))
        answer = shown(get_project(run.workflow_id), actor)
        return Response(answer, status=201 if new else 200, headers={"Location": where})


class ProjectValidate(Door):
    @extend_schema(
        operation_id="projects_validate", request=ProjectSpecIn, responses=answers({200: ProjectChecked}, 415, 422)
    )
    def post(self, request: Request) -> Response:
        """Whether a project could be started now, with the plan that it would have."""
        form = ProjectSpecIn(data=body_of(request))
        form.is_valid(raise_exception=True)
        found = prepared(spec=form.validated_data["project_spec"], config=form.validated_data.get("config"))
        plan = found.plan.plain() if found.plan is not None else None
        told = {"project_id": found.spec.project_id, "plan": plan, "gates": found.gates, "warnings": found.warnings}
        return Response({"valid": True, **told})


class ProjectDetail(Door):
    @extend_schema(operation_id="projects_read", parameters=[WORKFLOW_ID], responses=answers({200: ProjectOut}, 404))
    def get(self, request: Request, workflow_id: str) -> Response:
        return Response(shown(get_project(workflow_id), actor_of(request.user)))


class ProjectPlan(Door):
    @extend_schema(operation_id="projects_plan", parameters=[WORKFLOW_ID], responses=answers({200: PlanOut}, 404))
    def get(self, request: Request, workflow_id: str) -> Response:
        return Response(plan_view(get_project(workflow_id)))


class ProjectTasks(Door):
    @extend_schema(
        operation_id="projects_tasks",
        parameters=[WORKFLOW_ID],
        responses=answers({200: ProjectTaskTried(many=True)}, 404),
    )
    def get(self, request: Request, workflow_id: str) -> Response:
        """Each task, with every attempt at it."""
        return Response(task_views(get_project(workflow_id)))


class ProjectRequirements(Door):
    @extend_schema(
        operation_id="projects_requirements",
        parameters=[WORKFLOW_ID],
        responses=answers({200: ProjectRequirement(many=True)}, 404),
    )
    def get(self, request: Request, workflow_id: str) -> Response:
        return Response(project_view(get_project(workflow_id))["requirements"])


class ProjectEvidence(Door):
    @extend_schema(
        operation_id="projects_evidence", parameters=[WORKFLOW_ID], responses=answers({200: EvidenceOut}, 404)
    )
    def get(self, request: Request, workflow_id: str) -> Response:
        return Response(evidence_view(get_project(workflow_id)))


class ProjectCosts(Door):
    @extend_schema(operation_id="projects_costs", parameters=[WORKFLOW_ID], responses=answers({200: CostsOut}, 404))
    def get(self, request: Request, workflow_id: str) -> Response:
        return Response(costs_view(get_project(workflow_id)))
