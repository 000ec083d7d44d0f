from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request as HttpRequest
from rest_framework.response import Response

from approvals.api.serializers import (
    DelegationIn,
    DelegationList,
    DelegationOut,
    PolicyOut,
    PolicyPage,
    PolicyPublished,
)
from approvals.api.views_requests import checked
from approvals.core.policy.definition import PolicyDefinition
from approvals.models import Delegation, Policy
from approvals.policies.checks import policy_warnings
from approvals.requests import delegate_while_away, end_delegation, publish_policy
from foundation.api.body import body_of, number, query
from foundation.api.docs import LIMIT, answers
from foundation.api.views import Door
from foundation.errors import BadInput, NotFound
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from orchestration.api.views_definitions import Pages

NAME = OpenApiParameter(
    "name", {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"}, OpenApiParameter.PATH
)


def policy_row(policy: Policy) -> dict[str, Any]:
    return {
        "policy": policy.name,
        "version": policy.version,
        "hash": policy.hash,
        "published_by": policy.published_by,
        "published_at": policy.published_at,
    }


class Policies(Door):
    @extend_schema(
        operation_id="policies_list",
        parameters=[LIMIT, OpenApiParameter("cursor", str)],
        responses=answers({200: PolicyPage}, 404, 422),
    )
    def get(self, request: HttpRequest) -> Response:
        pages = Pages()
        rows = pages.paginate_queryset(Policy.objects.filter(published=True), request, view=self) or []
        return pages.get_paginated_response([policy_row(row) for row in rows])

    @extend_schema(
        operation_id="policies_publish",
        request={"application/json": {"type": "object"}},
        responses=answers({200: PolicyPublished, 201: PolicyPublished}, 404, 415, 422),
    )
    def post(self, request: HttpRequest) -> Response:
        stored, new = publish_policy(data=body_of(request), actor=actor_of(request.user))
        doubts = policy_warnings(PolicyDefinition.model_validate(stored.body))
        body = {**policy_row(stored), "body": stored.body, "warnings": doubts}
        return Response(body, status=201 if new else 200)


class PolicyDetail(Door):
    @extend_schema(
        operation_id="policies_read",
        parameters=[NAME, OpenApiParameter("version", {"type": "integer", "minimum": 1, "maximum": 2**31 - 1})],
        responses=answers({200: PolicyOut}, 404, 422),
    )
    def get(self, request: HttpRequest, name: str) -> Response:
        version = number(request, "version", 0, least=1)
        found = Policy.objects.filter(name=name, published=True).order_by("-version")
        stored = (found.filter(version=version) if version else found).first()
        if stored is None:
            raise NotFound(f"there is no policy '{name}'", field="name", remedy="see /api/v1/policies/")
        return Response({**policy_row(stored), "body": stored.body})


def delegation_view(rule: Delegation) -> dict[str, Any]:
    return {
        "id": rule.pk,
        "owner": rule.owner.get_username(),
        "to": rule.to.get_username(),
        "starts_at": rule.starts_at,
        "ends_at": rule.ends_at,
        "ended_at": rule.ended_at,
        "policies": rule.policies,
        "reason": rule.reason,
    }


class Delegations(Door):
    @extend_schema(
        operation_id="delegations_list",
        parameters=[OpenApiParameter("owner", str, description="a user name; oneself when left out")],
        responses=answers({200: DelegationList}, 404, 422),
    )
    def get(self, request: HttpRequest) -> Response:
        """One's own; those of another for an administrator."""
        name, actor = query(request, "owner"), actor_of(request.user)
        owner: Any = account(name, "owner") if name else request.user
        if owner != request.user:
            permissions.require(actor, "approval.manage")
        rows = Delegation.objects.filter(owner=owner).select_related("owner", "to")[:200]
        return Response({"results": [delegation_view(row) for row in rows]})

    @extend_schema(
        operation_id="delegations_create",
        request=DelegationIn,
        responses=answers({201: DelegationOut}, 404, 415, 422),
    )
    def post(self, request: HttpRequest) -> Response:
        given = checked(DelegationIn, request)
        owner_name = given.pop("owner", "")
        owner = account(owner_name, "owner") if owner_name else request.user
        to = account(given.pop("to"), "to")
        rule = delegate_while_away(actor=actor_of(request.user), owner=owner, to=to, **given)
        return Response(delegation_view(rule), status=201)


class EndDelegation(Door):
    @extend_schema(
        operation_id="delegations_end",
        request=None,
        responses=answers({200: DelegationOut}, 404),
    )
    def post(self, request: HttpRequest, delegation_id: int) -> Response:
        return Response(delegation_view(end_delegation(actor=actor_of(request.user), delegation_id=delegation_id)))


def account(name: str, field: str) -> Any:
    user = get_user_model().objects.filter(username=name, is_active=True).first()
    if user is None:
        raise BadInput(f"there is no user '{name[:80]}'", field=field, remedy="use the account's user name")
    return user
