"""The views of attempts of recovery, and of the switch that stops it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import body_of, number, one_of, query
from foundation.api.docs import LIMIT, WORKFLOW_ID, answers
from foundation.api.views import Door
from foundation.errors import WrongState
from foundation.identity.authentication import actor_of
from monitoring.api.serializers_attempts import (
    STATES,
    RecoverIn,
    RecoveryAttemptPage,
    RecoveryResultOut,
    RecoverySwitchOut,
    SwitchIn,
)
from monitoring.performing import switch
from monitoring.performing.by_hand import trigger
from monitoring.queries import recovery

OPEN = "open"


class RunRecover(Door):
    @extend_schema(
        operation_id="runs_recover", parameters=[WORKFLOW_ID], request=RecoverIn,
        responses=answers({200: RecoveryResultOut}, 404, 409, 415, 422),
    )  # fmt: skip
    def post(self, request: Request, workflow_id: str) -> Response:
        form = RecoverIn(data=body_of(request))
        form.is_valid(raise_exception=True)
        given: dict[str, Any] = form.validated_data
        found = trigger(
            workflow_id, given["reason"], given.get("action"), actor=actor_of(request.user),
            step_id=given.get("step_id", ""), note=given.get("note", ""),
        )  # fmt: skip
        if not found.success:
            raise WrongState(found.message, field="action", remedy="see recovery_actions_available of its health")
        return Response(found.as_json())


class RecoveryAttempts(Door):
    @extend_schema(
        operation_id="recovery_attempts_list",
        parameters=[
            OpenApiParameter("run", str),
            OpenApiParameter("policy_id", str),
            OpenApiParameter("state", str, enum=[OPEN, *STATES]),
            OpenApiParameter("offset", {"type": "integer", "minimum": 0, "maximum": 100_000}),
            LIMIT,
        ],
        responses=answers({200: RecoveryAttemptPage}, 422),
    )
    def get(self, request: Request) -> Response:
        found = recovery.attempts(
            run=query(request, "run"), policy_id=query(request, "policy_id"),
            state=one_of(request, "state", [OPEN, *STATES]),
        )  # fmt: skip
        limit, offset = number(request, "limit", 50, least=1, most=200), number(request, "offset", 0, most=100_000)
        rows = list(found[offset : offset + limit + 1])
        return Response({"more": len(rows) > limit, "results": recovery.views(rows[:limit])})


def _note(request: Request) -> str:
    form = SwitchIn(data=body_of(request))
    form.is_valid(raise_exception=True)
    return str(form.validated_data.get("note", ""))


class RecoveryStop(Door):
    @extend_schema(
        operation_id="recovery_stop", request=SwitchIn, responses=answers({200: RecoverySwitchOut}, 415, 422)
    )
    def post(self, request: Request) -> Response:
        switch.stop(actor=actor_of(request.user), note=_note(request))
        return Response(recovery.switch_view())


class RecoveryStart(Door):
    @extend_schema(
        operation_id="recovery_start", request=SwitchIn, responses=answers({200: RecoverySwitchOut}, 415, 422)
    )
    def post(self, request: Request) -> Response:
        switch.start(actor=actor_of(request.user), note=_note(request))
        return Response(recovery.switch_view())
