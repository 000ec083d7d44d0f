"""Gives this process its tracer."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from foundation.telemetry import use_tracer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

EXPORTER = "opentelemetry.exporter.otlp.proto.http"
SECONDS = 5.0
"""Limit of an export, and of all that is left when a process ends whose collector does not answer."""


def is_installed() -> bool:
    """Whether the extra `otel` is there."""
    try:
        return find_spec("opentelemetry.sdk") is not None and find_spec(EXPORTER) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False


def install(*, endpoint: str, share: float, version: str) -> TracerProvider:
    """Export spans to an OTLP/HTTP endpoint such as http://collector:4318.

    `share`: of traces that begin here and are exported, 0 to 1. Headers and resource attributes are read from
    OpenTelemetry's own variables. OpenTelemetry is imported here alone: processes without traces need not have it.
    What is returned exports the rest when the process ends, and on `shutdown`.

    Raises:
        ModuleNotFoundError: the extra `otel` is not installed; a system check says so first.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415 - the same
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - the same
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - the same

    from foundation.tracing.ending import OneTryAtTheEnd  # noqa: PLC0415 - it imports the extra
    from foundation.tracing.sampling import AlsoFailures, sampler_of  # noqa: PLC0415 - the same
    from foundation.tracing.tracer import Identities, OtelTracer  # noqa: PLC0415 - the same

    name = OTELResourceDetector().detect().attributes.get("service.name") or "zen"
    resource = Resource.create({"service.name": name, "service.version": version})
    provider = TracerProvider(resource=resource, sampler=sampler_of(share), id_generator=Identities())
    exporter = OneTryAtTheEnd(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=SECONDS))
    provider.add_span_processor(AlsoFailures(BatchSpanProcessor(exporter), exporter.ends))
    use_tracer(OtelTracer(provider.get_tracer("zen", version)))
    return provider
