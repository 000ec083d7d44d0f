"""What is bound holds inside its `with` and nowhere else; spans get it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context

import pytest

from foundation.telemetry import Begin, Span, bind, bound, span, use_tracer


class Kept:
    """A tracer that keeps what it is told, and the word for how each span ended."""

    def __init__(self) -> None:
        self.spans: list[dict[str, str]] = []

    def linked(self, trace: str, identity: str) -> str:
        return f"{trace}/{identity}"

    @contextmanager
    def start(self, begin: Begin) -> Iterator[Span]:
        kept = {"name": begin.name, **begin.attributes}
        self.spans.append(kept)

        class One:
            traceparent = ""

            def set(self, name: str, value: str) -> None:
                kept[name] = value

            def rename(self, name: str) -> None:
                kept["name"] = name

            def link(self, traceparent: str) -> None:
                kept["link"] = traceparent

            def fail(self, why: str) -> None:
                kept["error"] = why

        try:
            yield One()
        except Exception as error:
            kept["error"] = type(error).__name__
            raise


@pytest.fixture
def tracer() -> Iterator[Kept]:
    kept = Kept()
    use_tracer(kept)
    yield kept
    use_tracer(None)


def test_an_inner_field_covers_the_outer_one_until_its_end() -> None:
    with bind(workflow_id="a", step_id="x"):
        with bind(step_id="y"):
            assert bound() == {"workflow_id": "a", "step_id": "y"}
        assert bound() == {"workflow_id": "a", "step_id": "x"}
    assert bound() == {}


def test_it_ends_with_an_exception_too() -> None:
    with pytest.raises(KeyError), bind(workflow_id="a"):
        raise KeyError
    assert bound() == {}


def test_a_thread_has_it_only_in_a_copied_context() -> None:
    found: list[Mapping[str, str]] = []
    with bind(workflow_id="a"):
        context = copy_context()
        for target in (lambda: found.append(bound()), lambda: context.run(lambda: found.append(bound()))):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert found == [{}, {"workflow_id": "a"}]


def test_a_span_has_its_attributes_and_what_is_bound(tracer: Kept) -> None:
    with bind(workflow_id="a"), span("attempt", outcome="") as running:
        running.set("outcome", "failed")
    assert tracer.spans == [{"name": "attempt", "workflow_id": "a", "outcome": "failed"}]


def test_a_failure_goes_through_a_span(tracer: Kept) -> None:
    with pytest.raises(KeyError), span("attempt"):
        raise KeyError
    assert tracer.spans == [{"name": "attempt", "error": "KeyError"}]


def test_without_a_tracer_a_span_does_nothing_and_hides_nothing() -> None:
    with span("attempt") as running:
        running.set("outcome", "failed")
    with pytest.raises(KeyError), span("attempt"):
        raise KeyError
