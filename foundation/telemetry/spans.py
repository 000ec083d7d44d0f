"""Stretches of work, for a tracer; without one a span costs a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from foundation.telemetry.context import bound

Kind = Literal["internal", "server", "client", "producer", "consumer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """What a span begins with.

    `parent`: a W3C traceparent; '' is the span that runs here, or none. `is_new`: of a trace of its own, whatever runs
    here. `links`: traceparents of what it has to do with. `identity`: a text from which the span's id is made, so that
    others can link to it without having heard of it; '' is an id of chance. `at`: aware, for something that is over.
    """

    name: str
    kind: Kind = "internal"
    parent: str = ""
    is_new: bool = False
    links: Sequence[str] = ()
    identity: str = ""
    at: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


class Span(Protocol):
    """A stretch of work that is going on."""

    traceparent: str
    """What others name as its parent; '' where there is no tracer."""

    def set(self, name: str, value: str) -> None:
        """Give it an attribute that was not known at its start."""

    def rename(self, name: str) -> None:
        """Give it the name that was not known at its start."""

    def link(self, traceparent: str) -> None:
        """Say what it has to do with; '' is nothing."""

    def fail(self, why: str) -> None:
        """Say that it failed. `why`: a word, such as an outcome or the class of an exception; never its message."""


class Tracer(Protocol):
    """What writes spans down. It never raises and never waits: it drops what it cannot keep."""

    def start(self, begin: Begin) -> AbstractContextManager[Span]:
        """A span from here to the end of the `with`; an exception that passes is its failure, and goes on.

        Inside, `trace_id` and `span_id` are bound.
        """

    def linked(self, trace: str, identity: str) -> str:
        """The traceparent of the span of this identity in the trace of a traceparent."""


class _NoSpan:
    traceparent = ""

    def set(self, name: str, value: str) -> None:
        """Nobody wants it."""

    def rename(self, name: str) -> None:
        """The same."""

    def link(self, traceparent: str) -> None:
        """The same."""

    def fail(self, why: str) -> None:
        """The same."""


_tracer: Tracer | None = None
_nothing = nullcontext(_NoSpan())


def use_tracer(tracer: Tracer | None) -> None:
    """Install the process's tracer, or none. Called once, when the process starts."""
    global _tracer
    _tracer = tracer


def span(
    name: str, /, *, kind: Kind = "internal", parent: str = "", is_new: bool = False, links: Sequence[str] = (),
    identity: str = "", at: datetime | None = None, **attributes: str,
) -> AbstractContextManager[Span]:  # fmt: skip
    """Measure what is inside the `with`; see `Begin`. It has the attributes given here and what is bound around it."""
    if _tracer is None:
        return _nothing
    begin = Begin(
        name=name, kind=kind, parent=parent, is_new=is_new, links=[link for link in links if link],
        identity=identity, at=at, attributes={**bound(), **attributes},
    )  # fmt: skip
    return _tracer.start(begin)


def traceparent() -> str:
    """The W3C traceparent of the span that runs here; '' where there is none, or no tracer."""
    return bound().get("traceparent", "")


def linked(trace: str, identity: str) -> str:
    """The traceparent of the span with this identity in the same trace; '' without a tracer or a trace."""
    return _tracer.linked(trace, identity) if _tracer is not None and trace else ""
