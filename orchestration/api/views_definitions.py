from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.body import body_of, number, query
from foundation.api.docs import LIMIT, answers
from foundation.api.views import Door
from foundation.errors import NotFound
from foundation.identity.authentication import actor_of
from orchestration.api.document import SAGA_SCHEMA
from orchestration.api.serializers import Checked, DefinitionFull, DefinitionOut, DefinitionPage, Matrix
from orchestration.core.definition import SagaDefinition, json_schema
from orchestration.models import Definition
from orchestration.runs import check_definition, publish
from orchestration.runs.definitions import published, warnings_now
from orchestration.runs.failure_matrix import matrix_of


class Pages(CursorPagination):
    ordering: str | tuple[str, ...] = "-id"

    def get_page_size(self, request: Request) -> int:
        return number(request, "limit", 50, least=1, most=200)


class Definitions(Door):
    @extend_schema(
        operation_id="definitions_list",
        parameters=[OpenApiParameter("saga_id", str), LIMIT, OpenApiParameter("cursor", str)],
        responses=answers({200: DefinitionPage}, 404, 422),
    )
    def get(self, request: Request) -> Response:
        found = Definition.objects.filter(listed=True)
        if saga_id := query(request, "saga_id"):
            found = found.filter(saga_id=saga_id)
        pages = Pages()
        rows = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(DefinitionOut(rows, many=True).data)

    @extend_schema(
        operation_id="definitions_publish",
        request={"application/json": {"$ref": SAGA_SCHEMA}},
        responses=answers({200: DefinitionFull, 201: DefinitionFull}, 415, 422),
    )
    def post(self, request: Request) -> Response:
        stored, new = publish(data=body_of(request), actor=actor_of(request.user))
        return Response(DefinitionFull(stored).data, status=201 if new else 200)


class DefinitionVersion(Door):
    @extend_schema(operation_id="definitions_read", responses=answers({200: DefinitionFull}, 404))
    def get(self, request: Request, saga_id: str, version: int) -> Response:
        return Response(DefinitionFull(_stored(saga_id, version)).data)


def _stored(saga_id: str, version: int) -> Definition:
    found = published(saga_id).filter(version=version).first()
    if found is None:
        raise NotFound(f"there is no definition '{saga_id}' version {version}", field="version")
    return found


class Validate(Door):
    @extend_schema(
        operation_id="definitions_validate",
        request={"application/json": {"$ref": SAGA_SCHEMA}},
        responses=answers({200: Checked}, 415, 422),
    )
    def post(self, request: Request) -> Response:
        checked = check_definition(body_of(request))
        body = {"saga_id": checked.saga_id, "steps": len(checked.steps), "warnings": warnings_now(checked)}
        return Response(body)


class DefinitionMatrix(Door):
    @extend_schema(operation_id="definitions_matrix", responses=answers({200: Matrix}, 404, 422))
    def get(self, request: Request, saga_id: str, version: int) -> Response:
        """How a run ends when each step fails, times out or is followed by an abort."""
        return Response(matrix_view(check_definition(_stored(saga_id, version).body)))


class Preview(Door):
    @extend_schema(
        operation_id="definitions_preview",
        request={"application/json": {"$ref": SAGA_SCHEMA}},
        responses=answers({200: Matrix}, 415, 422),
    )
    def post(self, request: Request) -> Response:
        """The failure matrix of a definition that is not published yet."""
        return Response(matrix_view(check_definition(body_of(request))))


def matrix_view(definition: SagaDefinition) -> dict[str, Any]:
    """How a run of the definition ends when each step fails, as JSON."""
    found = matrix_of(definition)
    return {"saga_id": definition.saga_id, "rows": [asdict(row) for row in found.rows], "left_out": found.left_out}


class DefinitionSchema(Door):
    @extend_schema(operation_id="definitions_schema", responses=answers({200: dict}))
    def get(self, request: Request) -> Response:
        return Response(json_schema())


class Nowhere(APIView):
    """Every other address under the API: a problem, not a page."""

    permission_classes: list[Any] = []

    @extend_schema(exclude=True)
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.http_method_names = []
        return super().dispatch(request, *args, **kwargs)

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        raise NotFound("there is nothing at this address", remedy="see /api/v1/schema/")
