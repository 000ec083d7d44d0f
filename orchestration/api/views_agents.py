"""The views of endpoints of agents."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.body import body_of
from foundation.api.docs import answers
from foundation.api.views import Door
from foundation.identity.authentication import actor_of
from orchestration.agents.endpoints import services
from orchestration.agents.endpoints.check import check
from orchestration.agents.endpoints.given import Given
from orchestration.agents.endpoints.views import endpoint_view, endpoint_views
from orchestration.api.serializers_agents import AgentChecked, AgentIn, AgentOut
from orchestration.models import AgentEndpoint


class Agents(Door):
    @extend_schema(operation_id="agents_list", responses=answers({200: AgentOut(many=True)}))
    def get(self, request: Request) -> Response:
        return Response(endpoint_views(AgentEndpoint.objects.all()))

    @extend_schema(operation_id="agents_add", request=AgentIn, responses=answers({201: AgentOut}, 415, 422))
    def post(self, request: Request) -> Response:
        form = AgentIn(data=body_of(request))
        form.is_valid(raise_exception=True)
        row = services.add(Given(**form.validated_data), actor=actor_of(request.user))
        return Response(endpoint_view(row), status=201)


class AgentDetail(Door):
    @extend_schema(operation_id="agents_read", responses=answers({200: AgentOut}, 404))
    def get(self, request: Request, name: str) -> Response:
        return Response(endpoint_view(services.endpoint_named(name)))


class AgentCheck(Door):
    @extend_schema(operation_id="agents_check", request=None, responses=answers({200: AgentChecked}, 404))
    def post(self, request: Request, name: str) -> Response:
        """Ask its program, on the machine of the site: installed, which version, signed in."""
        row, found = check(name, actor=actor_of(request.user))
        told = {"installed": found.installed, "signed_in": found.signed_in, "usable": found.usable}
        return Response({**endpoint_view(row), **told})


class AgentEnable(Door):
    @extend_schema(operation_id="agents_enable", request=None, responses=answers({200: AgentOut}, 404))
    def post(self, request: Request, name: str) -> Response:
        return Response(endpoint_view(services.enable(name, actor=actor_of(request.user))))


class AgentDisable(Door):
    @extend_schema(operation_id="agents_disable", request=None, responses=answers({200: AgentOut}, 404))
    def post(self, request: Request, name: str) -> Response:
        """It gets no further attempts; those that it has go on."""
        return Response(endpoint_view(services.disable(name, actor=actor_of(request.user))))


class AgentRemove(Door):
    @extend_schema(operation_id="agents_remove", request=None, responses=answers({200: AgentOut}, 404, 409))
    def post(self, request: Request, name: str) -> Response:
        """What its attempts came to stays."""
        view = endpoint_view(services.endpoint_named(name))
        services.remove(name, actor=actor_of(request.user))
        return Response(view)
