"""The views of alerts and silences."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import body_of, number, one_of, query
from foundation.api.docs import LIMIT, answers
from foundation.api.views import Door
from foundation.identity.authentication import actor_of
from monitoring.alerting import acts, silences
from monitoring.api.forms import AlertActIn, AlertNoteIn, AlertResolveIn, SilenceIn
from monitoring.api.serializers import STATUSES, AlertFull, AlertMemberOut, AlertOut, AlertPage, SilenceOut
from monitoring.api.serializers_alerts import AlertActPreview
from monitoring.api.serializers_recovery import JobOut
from monitoring.models import Alert, Silence
from monitoring.queries.alerts import alert_view, alerts, members_of, notes_of, silence_view
from monitoring.trials import alert_acts, jobs

STATES = (Alert.FIRING, Alert.RESOLVED, "all")


class Alerts(Door):
    @extend_schema(
        operation_id="alerts_list",
        parameters=[
            OpenApiParameter("state", str, enum=list(STATES)),
            OpenApiParameter("severity", str, enum=STATUSES),
            OpenApiParameter("rule", str),
            OpenApiParameter("target", str),
            OpenApiParameter("saga_id", str),
            OpenApiParameter("offset", {"type": "integer", "minimum": 0, "maximum": 100_000}),
            LIMIT,
        ],
        responses=answers({200: AlertPage}, 422),
    )
    def get(self, request: Request) -> Response:
        state = one_of(request, "state", STATES) or Alert.FIRING
        found = alerts(
            state="" if state == "all" else state, severity=one_of(request, "severity", STATUSES),
            rule=query(request, "rule"), target=query(request, "target"), saga_id=query(request, "saga_id"),
        )  # fmt: skip
        limit, offset = number(request, "limit", 50, least=1, most=200), number(request, "offset", 0, most=100_000)
        rows = list(found[offset : offset + limit + 1])
        return Response({"more": len(rows) > limit, "results": [alert_view(row) for row in rows[:limit]]})


class AlertDetail(Door):
    @extend_schema(operation_id="alerts_read", responses=answers({200: AlertFull}, 404))
    def get(self, request: Request, alert_id: str) -> Response:
        alert = acts.alert_by_id(int(alert_id))
        return Response(alert_view(alert) | {"member_list": members_of(alert), "notes": notes_of(alert)})


class AlertMembers(Door):
    @extend_schema(operation_id="alerts_members", responses=answers({200: AlertMemberOut(many=True)}, 404))
    def get(self, request: Request, alert_id: str) -> Response:
        return Response(members_of(acts.alert_by_id(int(alert_id))))


def _note(request: Request, form_class: type[AlertNoteIn] = AlertNoteIn) -> str:
    form = form_class(data=body_of(request))
    form.is_valid(raise_exception=True)
    return str(form.validated_data.get("note", ""))


class AlertAck(Door):
    @extend_schema(
        operation_id="alerts_ack", request=AlertNoteIn, responses=answers({200: AlertOut}, 404, 409, 415, 422)
    )
    def post(self, request: Request, alert_id: str) -> Response:
        actor = actor_of(request.user)
        return Response(alert_view(acts.acknowledge(int(alert_id), actor=actor, note=_note(request))))


class AlertUnack(Door):
    @extend_schema(
        operation_id="alerts_unack", request=AlertNoteIn, responses=answers({200: AlertOut}, 404, 409, 415, 422)
    )
    def post(self, request: Request, alert_id: str) -> Response:
        actor = actor_of(request.user)
        return Response(alert_view(acts.unacknowledge(int(alert_id), actor=actor, note=_note(request))))


class AlertResolve(Door):
    @extend_schema(
        operation_id="alerts_resolve", request=AlertResolveIn, responses=answers({200: AlertOut}, 404, 409, 415, 422)
    )
    def post(self, request: Request, alert_id: str) -> Response:
        actor = actor_of(request.user)
        return Response(alert_view(acts.resolve(int(alert_id), actor=actor, note=_note(request, AlertResolveIn))))


class AlertAct(Door):
    @extend_schema(
        operation_id="alerts_act",
        request=AlertActIn,
        responses=answers({200: AlertActPreview, 202: JobOut}, 404, 409, 415, 422),
    )
    def post(self, request: Request, alert_id: str) -> Response:
        form = AlertActIn(data=body_of(request))
        form.is_valid(raise_exception=True)
        given, actor = form.validated_data, actor_of(request.user)
        if given.get("preview"):
            return Response(alert_acts.preview_act(int(alert_id), given["verb"], actor=actor))
        job = alert_acts.ask_act(int(alert_id), given["verb"], actor=actor, note=given.get("note", ""))
        return Response(jobs.job_view(job), status=202)


class Silences(Door):
    @extend_schema(
        operation_id="silences_list",
        parameters=[OpenApiParameter("state", str, enum=["active", "all"]), LIMIT],
        responses=answers({200: SilenceOut(many=True)}, 422),
    )
    def get(self, request: Request) -> Response:
        found = Silence.objects.all()
        if (one_of(request, "state", ("active", "all")) or "active") == "active":
            found = found.filter(ended_at=None)
        return Response([silence_view(row) for row in found[: number(request, "limit", 50, least=1, most=200)]])

    @extend_schema(operation_id="silences_make", request=SilenceIn, responses=answers({201: SilenceOut}, 415, 422))
    def post(self, request: Request) -> Response:
        form = SilenceIn(data=body_of(request))
        form.is_valid(raise_exception=True)
        given: dict[str, Any] = form.validated_data
        made = silences.silence(
            matchers=given["matchers"], reason=given["reason"], ends_at=given["ends_at"],
            while_firing=given.get("while_firing", False), actor=actor_of(request.user),
        )  # fmt: skip
        return Response(silence_view(made), status=201)


class SilenceEnd(Door):
    @extend_schema(operation_id="silences_end", request=None, responses=answers({200: SilenceOut}, 404))
    def post(self, request: Request, silence_id: str) -> Response:
        return Response(silence_view(silences.end_silence(int(silence_id), actor=actor_of(request.user))))
