"""Spans by OpenTelemetry."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from foundation.telemetry import bind
from foundation.telemetry.spans import Begin
from foundation.telemetry.spans import Span as TelemetrySpan

KINDS = {
    "internal": SpanKind.INTERNAL, "server": SpanKind.SERVER, "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER, "consumer": SpanKind.CONSUMER,
}  # fmt: skip
OURS = ("workflow_id", "saga_id", "step_id", "attempt", "engine", "outcome", "request_id", "status", "cause", "verb")
"""Attributes that are told as `zen.…`; one whose name has a dot is told as it is, and others are not told."""

LONGEST = 200
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")

_identity: ContextVar[int | None] = ContextVar("zen_span_identity", default=None)


class Identities(RandomIdGenerator):
    """Ids of chance, but for a span whose id is known before."""

    def generate_span_id(self) -> int:
        """OpenTelemetry's hook."""
        return _identity.get() or super().generate_span_id()


class OtelTracer:
    """Implements `foundation.telemetry.spans.Tracer`."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def start(self, begin: Begin) -> Iterator[TelemetrySpan]:
        """See the Protocol."""
        links = [Link(context) for link in begin.links if (context := context_in(link)) is not None]
        token = _identity.set(span_id_of(begin.identity) if begin.identity else None)
        at = _nanoseconds(begin.at)
        try:
            span = self._tracer.start_span(
                begin.name, _parent(begin), KINDS[begin.kind], _told(begin.attributes), links, start_time=at,
                record_exception=False, set_status_on_exception=False,
            )  # fmt: skip
        finally:
            _identity.reset(token)
        one = _Running(span)
        with trace.use_span(span, record_exception=False, set_status_on_exception=False), bind(**one.bound):
            try:
                yield one
            except BaseException as error:
                one.fail(type(error).__name__)
                raise
            finally:
                span.end(end_time=at)

    def linked(self, trace: str, identity: str) -> str:
        """See the Protocol."""
        found = context_in(trace)
        return _as_text(found, span_id_of(identity)) if found is not None else ""


class _Running:
    def __init__(self, span: trace.Span) -> None:
        self._span, context = span, span.get_span_context()
        self.traceparent = _as_text(context, context.span_id)
        ids = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
        self.bound = {**ids, "traceparent": self.traceparent}

    def set(self, name: str, value: str) -> None:
        self._span.set_attributes(_told({name: value}))

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def link(self, traceparent: str) -> None:
        context = context_in(traceparent)
        if context is not None:
            self._span.add_link(context)

    def fail(self, why: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, why[:LONGEST]))


def context_in(traceparent: str) -> SpanContext | None:
    """What a W3C traceparent says; None for what is none."""
    found = TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags & TraceFlags.SAMPLED))
    return context if context.is_valid else None


def span_id_of(identity: str) -> int:
    """The id of the span of this identity; never 0."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8]) or 1


def _as_text(context: SpanContext, span_id: int) -> str:
    return f"00-{context.trace_id:032x}-{span_id:016x}-{context.trace_flags & TraceFlags.SAMPLED:02x}"


def _parent(begin: Begin) -> Context | None:
    """None: whatever runs here."""
    if begin.is_new:
        return Context()
    found = context_in(begin.parent)
    return trace.set_span_in_context(NonRecordingSpan(found), Context()) if found is not None else None


def _told(attributes: Mapping[str, str]) -> dict[str, str]:
    found = {name: value[:LONGEST] for name, value in attributes.items() if "." in name}
    return found | {f"zen.{name}": attributes[name][:LONGEST] for name in OURS if attributes.get(name)}


def _nanoseconds(at: datetime | None) -> int | None:
    return int(at.timestamp() * 1_000_000) * 1000 if at is not None else None
