from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orchestration.api.auth import MayView, actor_of
from orchestration.api.body import body_of, query
from orchestration.api.docs import LIMIT, answers
from orchestration.api.serializers import Checked, DefinitionFull, DefinitionOut, DefinitionPage
from orchestration.core.definition import json_schema, warnings_of
from orchestration.errors import NotFound
from orchestration.models import Definition
from orchestration.services import check_definition, publish


class Pages(CursorPagination):
    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200


class Definitions(APIView):
    permission_classes = [MayView]

    @extend_schema(
        operation_id="definitions_list",
        parameters=[OpenApiParameter("saga_id", str), LIMIT, OpenApiParameter("cursor", str)],
        responses=answers({200: DefinitionPage}, 404, 422),
    )
    def get(self, request: Request) -> Response:
        found = Definition.objects.all()
        if saga_id := query(request, "saga_id"):
            found = found.filter(saga_id=saga_id)
        pages = Pages()
        rows = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(DefinitionOut(rows, many=True).data)

    @extend_schema(
        operation_id="definitions_publish",
        request={"application/json": dict},
        responses=answers({200: DefinitionFull, 201: DefinitionFull}, 415, 422),
    )
    def post(self, request: Request) -> Response:
        stored, new = publish(data=body_of(request), actor=actor_of(request.user))
        return Response(DefinitionFull(stored).data, status=201 if new else 200)


class DefinitionVersion(APIView):
    permission_classes = [MayView]

    @extend_schema(operation_id="definitions_read", responses=answers({200: DefinitionFull}, 404))
    def get(self, request: Request, saga_id: str, version: int) -> Response:
        found = Definition.objects.filter(saga_id=saga_id, version=version).first()
        if found is None:
            raise NotFound(f"there is no definition '{saga_id}' version {version}", field="version")
        return Response(DefinitionFull(found).data)


class Validate(APIView):
    permission_classes = [MayView]

    @extend_schema(
        operation_id="definitions_validate",
        request={"application/json": dict},
        responses=answers({200: Checked}, 415, 422),
    )
    def post(self, request: Request) -> Response:
        checked = check_definition(body_of(request))
        body = {"saga_id": checked.saga_id, "steps": len(checked.steps), "warnings": warnings_of(checked)}
        return Response(body)


class DefinitionSchema(APIView):
    permission_classes = [MayView]

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
