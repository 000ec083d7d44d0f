"""The views of the rules of alerts."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import body_of
from foundation.api.docs import answers
from foundation.api.views import Door
from foundation.identity.authentication import actor_of
from monitoring.alerting.rule_changes import change_rule, rule_by_name
from monitoring.alerting.rules import all_rules
from monitoring.api.forms import AlertRuleIn
from monitoring.api.serializers_alerts import AlertRuleOut
from monitoring.queries.alerts import rule_view


class AlertRules(Door):
    @extend_schema(operation_id="alert_rules_list", responses=answers({200: AlertRuleOut(many=True)}))
    def get(self, request: Request) -> Response:
        return Response([rule_view(row) for _, row in sorted(all_rules().items())])


class AlertRuleDetail(Door):
    @extend_schema(operation_id="alert_rules_read", responses=answers({200: AlertRuleOut}, 404))
    def get(self, request: Request, name: str) -> Response:
        return Response(rule_view(rule_by_name(name)))

    @extend_schema(
        operation_id="alert_rules_change", request=AlertRuleIn, responses=answers({200: AlertRuleOut}, 404, 415, 422)
    )
    def patch(self, request: Request, name: str) -> Response:
        return Response(rule_view(change_rule(name, body_of(request), actor=actor_of(request.user))))
