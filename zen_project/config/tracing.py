"""Where traces go, and where people see them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from zen_project.config.env import Env, refuse

SHARE = re.compile(r"0|1|[01]?\.\d{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """`endpoint`: of OTLP/HTTP, '' where traces are off. `share`: of traces that begin here, 0 to 1.

    `page`: the address at which a person sees a trace, with {trace_id}.
    """

    endpoint: str
    share: float
    page: str


def tracing(env: Env) -> Tracing:
    """ZEN_TRACING=off wins over an endpoint."""
    endpoint = env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
    if endpoint and not _is_http(endpoint):
        why = "is no address of http or https"
        raise refuse("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, why, "http://collector:4318")
    share = env.text("OTEL_TRACES_SAMPLER_ARG", "1")
    if not SHARE.fullmatch(share) or float(share) > 1:
        raise refuse("OTEL_TRACES_SAMPLER_ARG", share, "is not a number from 0 to 1", "0.1")
    page = env.text("ZEN_TRACE_URL")
    if page and not (_is_http(page) and "{trace_id}" in page):
        why = "is no address of http or https with {trace_id} in it"
        raise refuse("ZEN_TRACE_URL", page, why, "https://tempo.example.com/trace/{trace_id}")
    off = env.choice("ZEN_TRACING", "auto", ("auto", "off")) == "off"
    return Tracing(endpoint="" if off else endpoint, share=float(share), page=page)


def _is_http(text: str) -> bool:
    try:
        split = urlsplit(text)
    except ValueError:
        return False
    return split.scheme in ("http", "https") and bool(split.hostname)
