"""A process ends soon although its collector takes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from foundation.tracing.ending import OneTryAtTheEnd
from foundation.tracing.sampling import AlsoFailures


class Collector(SpanExporter):
    """`takes`: whether it takes what it is given."""

    def __init__(self, *, takes: bool) -> None:
        self.takes, self.tries, self.taken = takes, 0, 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.tries += 1
        if not self.takes:
            return SpanExportResult.FAILURE
        self.taken += len(spans)
        return SpanExportResult.SUCCESS


def ended(collector: Collector, spans: int) -> None:
    exporter = OneTryAtTheEnd(collector)
    provider = TracerProvider(shutdown_on_exit=False)
    batches = BatchSpanProcessor(exporter, schedule_delay_millis=60_000, max_export_batch_size=spans + 1)
    provider.add_span_processor(AlsoFailures(batches, exporter.ends))
    for _ in range(spans):
        provider.get_tracer("t").start_span("attempt").end()
    provider.shutdown()


def test_what_waits_at_the_end_is_exported() -> None:
    collector = Collector(takes=True)
    ended(collector, 20)
    assert collector.taken == 20


def test_what_fails_at_the_end_is_the_last_try() -> None:
    collector = Collector(takes=False)
    exporter = OneTryAtTheEnd(collector)
    for _ in range(3):
        assert exporter.export([]) is SpanExportResult.FAILURE
    assert collector.tries == 3  # it may be back by the next time
    exporter.ends()
    for _ in range(3):
        assert exporter.export([]) is SpanExportResult.FAILURE
    assert collector.tries == 4


def test_the_end_of_the_provider_is_the_end() -> None:
    collector = Collector(takes=False)
    ended(collector, 20)
    assert collector.tries == 1
