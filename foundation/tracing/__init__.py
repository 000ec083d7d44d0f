"""Traces by OpenTelemetry: the extra `otel`, on where OTEL_EXPORTER_OTLP_ENDPOINT is set and ZEN_TRACING is not `off`.

Code measures with `foundation.telemetry.span`, which knows nothing of OpenTelemetry; `install` gives it a tracer that
does. `tracer` makes spans, `sampling` says which are exported: as their parents, else by OTEL_TRACES_SAMPLER_ARG, and
attempts that failed always.

Which run a span belongs to travels in the run's row (`Run.trace`), so one trace goes over processes and engines, and no
span stays open for days. Spans are exported in batches by a thread of their own; what cannot be kept is dropped.

Attributes are ids and words: no value of a context or an output, no message of an exception.
"""

from foundation.tracing.install import install, is_installed

__all__ = ["install", "is_installed"]
