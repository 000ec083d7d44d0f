from __future__ import annotations

import hashlib
from dataclasses import asdict

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import body_of, query
from foundation.api.docs import STEP_ID, WORKFLOW_ID, answers
from foundation.api.views import Door
from foundation.errors import NotFound
from foundation.identity import permissions
from foundation.identity.authentication import actor_of
from orchestration.api.forms import ActIn
from orchestration.api.serializers import PreviewOut, RunOut
from orchestration.api.views_runs import shown
from orchestration.core.enums import Verb
from orchestration.models import Message
from orchestration.runs import act, event_for, get_run, preview
from orchestration.runs.acts import refuse_another

VERB = OpenApiParameter("verb", str, OpenApiParameter.PATH, enum=[verb.value for verb in Verb])


def _verb(word: str) -> Verb:
    try:
        return Verb(word)
    except ValueError:
        raise NotFound(f"there is no verb '{word}'", field="verb", remedy=f"one of: {', '.join(Verb)}") from None


class RunPreview(Door):
    @extend_schema(
        operation_id="runs_preview",
        parameters=[WORKFLOW_ID, VERB, STEP_ID],
        responses=answers({200: PreviewOut}, 404, 422),
    )
    def get(self, request: Request, workflow_id: str, verb: str) -> Response:
        found = preview(
            workflow_id=workflow_id,
            verb=_verb(verb),
            actor=actor_of(request.user),
            step_id=query(request, "step_id"),
        )
        return Response(asdict(found))


class RunAct(Door):
    @extend_schema(
        operation_id="runs_act",
        parameters=[WORKFLOW_ID, VERB, OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        request=ActIn,
        responses=answers({200: RunOut}, 404, 409, 415, 422, 503),
    )
    def post(self, request: Request, workflow_id: str, verb: str) -> Response:
        word, actor = _verb(verb), actor_of(request.user)
        form = ActIn(data=body_of(request))
        form.is_valid(raise_exception=True)
        request_id = _request_id(request, actor.name, workflow_id, verb)
        known = Message.objects.filter(message_id=request_id, refusal="").first() if request_id else None
        if known is not None:
            permissions.require(actor, "run.act")
            given = form.validated_data
            refuse_another(known, event_for(verb=word, actor=actor, **given), given.get("action"))
            return shown(get_run(workflow_id), actor)
        run = act(workflow_id=workflow_id, verb=word, actor=actor, request_id=request_id, **form.validated_data)
        return shown(get_run(run.workflow_id), actor)


def _request_id(request: Request, *about: str) -> str:
    """The key belongs to its user, run and verb, so that the same word elsewhere is another request."""
    key = request.headers.get("Idempotency-Key", "")
    return hashlib.sha256("\n".join((*about, key)).encode("utf-8", "replace")).hexdigest() if key else ""
