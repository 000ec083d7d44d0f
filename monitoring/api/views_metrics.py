"""The view that Prometheus reads, outside of the API's addresses."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from foundation.identity.authentication import MayView
from monitoring.metrics.exposition import CONTENT_TYPE
from monitoring.watch.metrics import scrape

BY_A_PROXY = frozenset({
    "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP",
    "HTTP_TRUE_CLIENT_IP", "HTTP_CF_CONNECTING_IP", "HTTP_FASTLY_CLIENT_IP", "HTTP_FLY_CLIENT_IP",
    "HTTP_X_ENVOY_EXTERNAL_ADDRESS", "HTTP_X_ORIGINAL_FORWARDED_FOR", "HTTP_X_AMZN_TRACE_ID",
})  # fmt: skip
"""Headers that proxies add, besides all that begin with X-Forwarded-."""


class MayScrape(MayView):
    """Who may look at anything here, and whoever connects from an address of ZEN_METRICS_ALLOW, not through a proxy."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return is_named_peer(request.META) or super().has_permission(request, view)


def is_named_peer(meta: dict[str, Any]) -> bool:
    """Whether the connection itself comes from there: behind a proxy every request seems to come from the proxy."""
    if any(name in BY_A_PROXY or name.startswith("HTTP_X_FORWARDED") for name in meta):
        return False
    try:
        peer = ipaddress.ip_address(str(meta.get("REMOTE_ADDR", "")).partition("%")[0])
    except ValueError:
        return False
    peer = getattr(peer, "ipv4_mapped", None) or peer
    allowed = (ipaddress.ip_network(entry, strict=False) for entry in settings.ZEN_METRICS_ALLOW)
    return any(peer.version == network.version and peer in network for network in allowed)


@extend_schema(exclude=True)
class Metrics(APIView):
    permission_classes = [MayScrape]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """The text is the text, whatever is accepted; a refusal is JSON."""
        return JSONRenderer(), "application/json"

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(scrape(), content_type=CONTENT_TYPE)
