"""What is exported when the process ends."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class OneTryAtTheEnd(SpanExporter):
    """Exports by another; once the process ends, until that fails. So a full queue costs it one limit at most."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._ends = self._gave_up = False

    def ends(self) -> None:
        """The process ends: what fails from now on is the last try."""
        self._ends = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """OpenTelemetry's hook."""
        if self._gave_up:
            return SpanExportResult.FAILURE
        result = SpanExportResult.FAILURE
        try:
            result = self._inner.export(spans)
        finally:
            self._gave_up = self._ends and result is not SpanExportResult.SUCCESS
        return result

    def shutdown(self) -> None:
        """OpenTelemetry's hook."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """OpenTelemetry's hook."""
        return self._inner.force_flush(timeout_millis)
