"""Which spans are exported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags


def sampler_of(share: float) -> Sampler:
    """As the parent is; of traces that begin here, this share."""
    return _AlsoRecordAttempts(ParentBased(TraceIdRatioBased(share)))


class _AlsoRecordAttempts(Sampler):
    """An attempt that is not chosen is recorded all the same: it may fail."""

    def __init__(self, inner: Sampler) -> None:
        self._inner = inner

    def should_sample(
        self, parent_context: Context | None, trace_id: int, name: str, kind: SpanKind | None = None, *args: Any,
        **more: Any,
    ) -> SamplingResult:  # fmt: skip
        """OpenTelemetry's hook."""
        found = self._inner.should_sample(parent_context, trace_id, name, kind, *args, **more)
        if found.decision is not Decision.DROP or kind is not SpanKind.CONSUMER:
            return found
        return SamplingResult(Decision.RECORD_ONLY, found.attributes, found.trace_state)

    def get_description(self) -> str:
        """OpenTelemetry's hook."""
        return f"AlsoRecordAttempts({self._inner.get_description()})"


class AlsoFailures(SpanProcessor):
    """Hands over what was chosen, and of what was recorded besides only what failed. `ends`: called before it ends."""

    def __init__(self, inner: SpanProcessor, ends: Callable[[], object]) -> None:
        self._inner, self._ends = inner, ends

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """OpenTelemetry's hook."""
        self._inner.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """OpenTelemetry's hook."""
        if span.context is None or span.context.trace_flags.sampled:
            self._inner.on_end(span)
        elif span.status.status_code is StatusCode.ERROR:
            self._inner.on_end(_chosen(span, span.context))

    def shutdown(self) -> None:
        """OpenTelemetry's hook."""
        self._ends()
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """OpenTelemetry's hook."""
        return self._inner.force_flush(timeout_millis)


def _chosen(span: ReadableSpan, context: SpanContext) -> ReadableSpan:
    flags = TraceFlags(TraceFlags.SAMPLED)
    sampled = SpanContext(context.trace_id, context.span_id, context.is_remote, flags, context.trace_state)
    return ReadableSpan(
        name=span.name, context=sampled, parent=span.parent, resource=span.resource, attributes=span.attributes,
        events=span.events, links=span.links, kind=span.kind, status=span.status, start_time=span.start_time,
        end_time=span.end_time, instrumentation_scope=span.instrumentation_scope,
    )  # fmt: skip
