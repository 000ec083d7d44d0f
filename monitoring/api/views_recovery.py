"""The views of recovery policies."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import body_of
from foundation.api.docs import answers
from foundation.api.views import Door
from foundation.identity.authentication import actor_of
from monitoring.api.forms_recovery import POLICY_IN, ModeIn
from monitoring.api.serializers_recovery import RecoveryPolicyFull, RecoveryPolicyOut, RecoveryPolicyPublished
from monitoring.core.policy import from_body
from monitoring.queries.policies import policy_view
from monitoring.recovery import publishing
from monitoring.recovery.cautions import cautions_of, full_view
from monitoring.recovery.policies import current, policies


class RecoveryPolicies(Door):
    @extend_schema(operation_id="recovery_policies_list", responses=answers({200: RecoveryPolicyOut(many=True)}))
    def get(self, request: Request) -> Response:
        return Response([policy_view(row) for row in policies()])

    @extend_schema(
        operation_id="recovery_policies_publish",
        request=POLICY_IN,
        responses=answers({200: RecoveryPolicyPublished, 201: RecoveryPolicyPublished}, 415, 422),
    )
    def post(self, request: Request) -> Response:
        policy = from_body(body_of(request))
        row, new = publishing.publish(policy, actor=actor_of(request.user))
        return Response({**policy_view(row), "warnings": cautions_of(policy)}, status=201 if new else 200)


class RecoveryPolicyDetail(Door):
    @extend_schema(operation_id="recovery_policies_read", responses=answers({200: RecoveryPolicyFull}, 404))
    def get(self, request: Request, policy_id: str) -> Response:
        return Response(full_view(current(policy_id)))


class RecoveryPolicyMode(Door):
    @extend_schema(
        operation_id="recovery_policies_mode",
        request=ModeIn,
        responses=answers({200: RecoveryPolicyOut}, 404, 415, 422),
    )
    def post(self, request: Request, policy_id: str) -> Response:
        form = ModeIn(data=body_of(request))
        form.is_valid(raise_exception=True)
        mode = form.validated_data["mode"]
        return Response(policy_view(publishing.set_mode(policy_id, mode, actor=actor_of(request.user))))
