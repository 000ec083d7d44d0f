from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request as HttpRequest
from rest_framework.response import Response

from approvals.api.serializers import (
    STATUSES,
    AskIn,
    DecideIn,
    NamePeopleIn,
    NoteIn,
    ReassignIn,
    RemarkIn,
    RequestOut,
    RequestPage,
    ResubmitIn,
)
from approvals.models import Request
from approvals.policies.principals import person_of
from approvals.queries import requests
from approvals.queries.inbox import inbox_of
from approvals.queries.view import request_view
from approvals.requests import (
    Ask,
    ask,
    decide,
    get_request,
    name_people,
    reassign,
    remark,
    remind,
    resubmit,
    revoke,
    withdraw,
)
from approvals.requests.allowed_actions import offers_for
from approvals.requests.caller import evidence_of
from approvals.requests.messages.callback_payload import secret_of
from foundation.api.body import body_of, query, words
from foundation.api.docs import LIMIT, answers
from foundation.api.views import Door
from foundation.errors import BadInput
from foundation.identity.authentication import actor_of
from orchestration.api.forms import Form
from orchestration.api.views_definitions import Pages

REQUEST_ID = OpenApiParameter(
    "request_id", {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:~-]{0,199}$"}, OpenApiParameter.PATH
)


class Urgent(Pages):
    """Whatever ends soonest, and last what never ends."""

    ordering = ("ends", "id")


def checked(form: type[Form], request: HttpRequest) -> dict[str, Any]:
    filled = form(data=body_of(request))
    filled.is_valid(raise_exception=True)
    found: dict[str, Any] = filled.validated_data
    return found


def body(found: Request, user: Any) -> dict[str, Any]:
    return request_view(found) | {"allowed_actions": list(offers_for(found, user).names)}


def shown(found: Request, user: Any) -> Response:
    return Response(body(found, user))


class Requests(Door):
    @extend_schema(
        operation_id="approvals_list",
        parameters=[
            OpenApiParameter("status", str, enum=STATUSES, many=True),
            OpenApiParameter("mine", str, enum=["true"], description="only what waits for me, the most urgent first"),
            OpenApiParameter("about", str),
            OpenApiParameter("stage", str),
            OpenApiParameter("policy", str),
            OpenApiParameter("search", str),
            LIMIT,
            OpenApiParameter("cursor", str),
        ],
        responses=answers({200: RequestPage}, 404, 422),
    )
    def get(self, request: HttpRequest) -> Response:
        asked = words(request, "status", STATUSES)
        names = ("about", "stage", "policy", "search")
        pages, found = Pages(), requests.requests(statuses=asked, **{name: query(request, name) for name in names})
        if "mine" in request.query_params:
            if query(request, "mine") != "true":
                raise BadInput("mine is not true", field="mine", remedy="leave it out, or give mine=true")
            found = found.filter(pk__in=inbox_of(request.user).values("pk"))
            pages, found = Urgent(), requests.with_its_end(found)
        rows = pages.paginate_queryset(found.defer(*requests.LARGE), request, view=self) or []
        return pages.get_paginated_response([requests.request_row(row) for row in rows])

    @extend_schema(
        operation_id="approvals_ask",
        request=AskIn,
        responses=answers({200: RequestOut, 201: RequestOut}, 404, 415, 422, 503),
    )
    def post(self, request: HttpRequest) -> Response:
        given = checked(AskIn, request)
        handle, engine = given.pop("request_id", ""), given.pop("engine", "")
        given["approvers"] = tuple(given.get("approvers", ()))
        given["editable"] = tuple(given.get("editable", ()))
        found, new = ask(given=Ask(**given), actor=actor_of(request.user), request_id=handle, engine=engine)
        where = request.build_absolute_uri(reverse("api-approval", args=[found.request_id]))
        answer = body(found, request.user) | secret_of(found)
        return Response(answer, status=201 if new else 200, headers={"Location": where})


class RequestDetail(Door):
    @extend_schema(operation_id="approvals_read", parameters=[REQUEST_ID], responses=answers({200: RequestOut}, 404))
    def get(self, request: HttpRequest, request_id: str) -> Response:
        return shown(get_request(request_id, actor=actor_of(request.user)), request.user)


class Decide(Door):
    @extend_schema(
        operation_id="approvals_decide",
        parameters=[REQUEST_ID],
        request=DecideIn,
        responses=answers({200: RequestOut}, 404, 409, 410, 415, 422),
    )
    def post(self, request: HttpRequest, request_id: str) -> Response:
        given = checked(DecideIn, request)
        found = decide(
            request_id=request_id,
            actor=actor_of(request.user),
            person=person_of(request.user),
            choice=given["decision"],
            comment=given.get("comment", ""),
            edits=given.get("edits"),
            answers=given.get("answers"),
            seen=given.get("seen", ""),
            evidence=evidence_of(request),
        )
        return shown(found, request.user)


class Remarks(Door):
    @extend_schema(
        operation_id="approvals_remark",
        parameters=[REQUEST_ID],
        request=RemarkIn,
        responses=answers({200: RequestOut}, 404, 409, 415, 422),
    )
    def post(self, request: HttpRequest, request_id: str) -> Response:
        given = checked(RemarkIn, request)
        person = person_of(request.user)
        found = remark(request_id=request_id, actor=actor_of(request.user), person=person, **given)
        return shown(found, request.user)


class Remind(Door):
    @extend_schema(
        operation_id="approvals_remind",
        parameters=[REQUEST_ID],
        request=NoteIn,
        responses=answers({200: RequestOut}, 404, 409, 415, 422, 429),
    )
    def post(self, request: HttpRequest, request_id: str) -> Response:
        """Whoever still owes an answer is told again: by whoever asked, or an operator; once in ten minutes."""
        found = remind(request_id=request_id, actor=actor_of(request.user), **checked(NoteIn, request))
        return shown(found, request.user)


class Withdraw(Door):
    @extend_schema(
        operation_id="approvals_withdraw",
        parameters=[REQUEST_ID],
        request=NoteIn,
        responses=answers({200: RequestOut}, 404, 409, 415, 422),
    )
    def post(self, request: HttpRequest, request_id: str) -> Response:
        found = withdraw(request_id=request_id, actor=actor_of(request.user), **checked(NoteIn, request))
        return shown(found, request.user)


class Revoke(Door):
    @extend_schema(
        operation_id="approvals_revoke",
        parameters=[REQUEST_ID],
        request=NoteIn,
        responses=answers({200: RequestOut}, 404, 409, 415, 422),
    )
    def post(self, request: HttpRequest, request_id: str) -> Response:
        found = revoke(request_id=request_id, actor=actor_of(request.user), **checked(NoteIn, request))
        return shown(found, request.user)


class Resubmit(Door):
    @extend_schema(
        operation_id="approvals_resubmit",
        parameters=[REQUEST_ID],
        request=ResubmitIn,
        responses=answers({200: RequestOut}, 404, 409, 415, 422),
    )
    def post(self, request: HttpRequest, request_id: str) -> Response:
        found = resubmit(request_id=request_id, actor=actor_of(request.user), **checked(ResubmitIn, request))
        return shown(found, request.user)


class Reassign(Door):
    @extend_schema(
        operation_id="approvals_reassign",
        parameters=[REQUEST_ID],
        request=ReassignIn,
        responses=answers({200: RequestOut}, 404, 409, 415, 422),
    )
    def post(self, request: HttpRequest, request_id: str) -> Response:
        found = reassign(request_id=request_id, actor=actor_of(request.user), **checked(ReassignIn, request))
        return shown(found, request.user)


class NamePeople(Door):
    @extend_schema(
        operation_id="approvals_name_people",
        parameters=[REQUEST_ID],
        request=NamePeopleIn,
        responses=answers({200: RequestOut}, 404, 409, 415, 422),
    )
    def post(self, request: HttpRequest, request_id: str) -> Response:
        found = name_people(request_id=request_id, actor=actor_of(request.user), **checked(NamePeopleIn, request))
        return shown(found, request.user)
