"""What this process measures and what it is doing: `count`, `observe`, `bind`, `span`.

For all rooms, since all of them measure; so it knows the standard library only (a contract), no model, no setting.

- Counting and observing add to a dictionary under one lock: a few microseconds. They never wait, write or raise for the
  caller. How many series there are is bounded; what is beyond is counted as dropped.
- `take` hands over what has come since the last time, once. `send_to` names a sink that gets it each minute, and when
  the process ends; without one nothing leaves the process.
- `bind` says what the code inside it is about (a run, a step, an attempt), for log lines and spans. It follows the
  context (contextvars): a thread has it only if it runs in a copied context.
- `span` measures a stretch of work for a tracer, if one is installed by `use_tracer`; without one it costs a call.

Labels are few and bounded words (a status, an engine), never an id, a host or an error.
"""

from foundation.telemetry.context import bind, bound, note, say_of_process
from foundation.telemetry.json_lines import JsonFormatter
from foundation.telemetry.metrics import Series, Values, count, observe, take
from foundation.telemetry.records import message_of
from foundation.telemetry.release import release
from foundation.telemetry.sending import MetricsSink, send_now, send_to
from foundation.telemetry.spans import Begin, Span, Tracer, linked, span, traceparent, use_tracer

__all__ = [
    "Begin", "JsonFormatter", "MetricsSink", "Series", "Span", "Tracer", "Values", "bind", "bound", "count", "linked",
    "message_of", "note", "observe", "release", "say_of_process", "send_now", "send_to", "span", "take", "traceparent",
    "use_tracer",
]  # fmt: skip
