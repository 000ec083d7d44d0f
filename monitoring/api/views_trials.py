"""The views of dry runs, back-tests and the jobs that do them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import body_of
from foundation.api.docs import answers
from foundation.api.views import Door
from foundation.errors import BadInput
from foundation.identity.authentication import actor_of
from monitoring.api.forms_recovery import BackTestIn, TrialIn
from monitoring.api.serializers_recovery import JobOut
from monitoring.core.policy import RecoveryPolicy, from_body
from monitoring.recovery.policies import current, policy_in
from monitoring.trials import back_test, jobs


class RecoveryDryRun(Door):
    @extend_schema(
        operation_id="recovery_dry_run", request=TrialIn, responses=answers({202: JobOut}, 404, 415, 422)
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = _given(request, TrialIn)
        return Response(jobs.job_view(jobs.ask_dry_run(_policy(given), actor=actor_of(request.user))), status=202)


class RecoveryBackTest(Door):
    @extend_schema(
        operation_id="recovery_backtest", request=BackTestIn, responses=answers({202: JobOut}, 404, 415, 422)
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = _given(request, BackTestIn)
        days = given.get("days", back_test.DAYS)
        job = jobs.ask_back_test(_policy(given), actor=actor_of(request.user), days=days)
        return Response(jobs.job_view(job), status=202)


class JobDetail(Door):
    @extend_schema(operation_id="jobs_read", responses=answers({200: JobOut}, 404))
    def get(self, request: Request, job_id: str) -> Response:
        return Response(jobs.job_view(jobs.job_by_id(int(job_id))))


def _given(request: Request, form_class: type[TrialIn]) -> dict[str, Any]:
    form = form_class(data=body_of(request))
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _policy(given: dict[str, Any]) -> RecoveryPolicy:
    """The draft, or the policy as it is."""
    if ("policy" in given) == ("policy_id" in given):
        raise BadInput("give a policy or a policy_id", field="policy", remedy="one of them, and not both")
    return from_body(given["policy"]) if "policy" in given else policy_in(current(given["policy_id"]))
