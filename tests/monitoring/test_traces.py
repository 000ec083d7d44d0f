"""One trace goes from a request over a start, its attempts on workers and their calls, as a real receiver hears it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from opentelemetry.sdk.trace import TracerProvider
from pytest_django import Settings

from foundation import telemetry
from foundation.tracing import install
from monitoring.watch import sweep
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.runs import act
from orchestration.workers import lease
from orchestration.workers.celery.worker import work
from tests.orchestration.api.test_runs import client_of
from tests.support.peer import Peer
from tests.support.waiting import wait_until
from tests.system.contract.sagas import ADA
from zen_project.config.tracing import Tracing

pytestmark = [pytest.mark.django_db(transaction=True)]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Receiver:
    """Takes spans by OTLP/HTTP."""

    def __init__(self, provider: TracerProvider, taken: list[Span]) -> None:
        self.provider, self.taken = provider, taken

    def spans(self) -> dict[str, Span]:
        """The last one of each name."""
        assert self.provider.force_flush()
        return {span.name: span for span in self.taken}


def receiving(share: float = 1.0) -> Iterator[Receiver]:
    taken: list[Span] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding"):
                self.send_error(415)
                return
            given = ExportTraceServiceRequest.FromString(body)
            scopes = [scope for one in given.resource_spans for scope in one.scope_spans]
            taken.extend(span for scope in scopes for span in scope.spans)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    provider = install(endpoint=f"http://127.0.0.1:{server.server_port}", share=share, version="0")
    receiver = Receiver(provider, taken)
    try:
        yield receiver
    finally:
        telemetry.use_tracer(None)
        provider.shutdown()
        server.shutdown()
        server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    yield from receiving()


@pytest.fixture
def choosy() -> Iterator[Receiver]:
    """Nothing is chosen by chance."""
    yield from receiving(0.0)


def attributes(span: Span) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}


def saga(peer: Peer, **more: Any) -> dict[str, Any]:
    action = {"type": "api_call", "method": "POST", "url": f"http://{peer.address}/things/a"}
    return {"saga_id": "order", "steps": [{"step_id": "pay", "forward_action": action, **more}]}


def worked() -> None:
    """On a thread of its own, as a worker does."""

    def do() -> None:
        lease.renew("w")
        work("w")
        connection.close()

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()


def is_over() -> bool:
    worked()
    return Run.objects.get().finished_at is not None


def start(definition: dict[str, Any], *, traceparent: str = "") -> Run:
    headers = {"traceparent": traceparent} if traceparent else {}
    answer = client_of("operator").post(
        "/api/v1/runs/", {"definition": definition, "workflow_id": "o-1", "engine": "celery"},
        content_type="application/json", headers=headers,
    )  # fmt: skip
    assert answer.status_code == 201, answer.content
    return Run.objects.get(workflow_id="o-1")


def test_one_trace_goes_from_the_request_to_the_call_and_the_end(
    receiver: Receiver, peer: Peer, settings: Settings
) -> None:
    peer.behave("/things/a", 503, 201)
    settings.ZEN_TRACE_BAGGAGE_HOSTS = ("127.0.0.1",)
    run = start(saga(peer, retry_count=3, backoff_seconds=0.01), traceparent=f"00-{TRACE}-{'1' * 16}-01")
    assert run.trace[3:35] == TRACE
    worked()
    wait_until(is_over, "the second attempt")
    sweep.sweep(at_once=True)
    spans = receiver.spans()
    assert {span.trace_id.hex() for span in receiver.taken} == {TRACE}
    request, begin, attempt = spans["POST api-runs"], spans["run start order"], spans["attempt order.pay"]
    call, end = spans["POST"], spans["run end"]
    assert request.parent_span_id.hex() == "1" * 16
    assert begin.parent_span_id == request.span_id
    assert attempt.parent_span_id == end.parent_span_id == begin.span_id
    assert call.parent_span_id == attempt.span_id
    first = next(span for span in receiver.taken if span.name == attempt.name and span.span_id != attempt.span_id)
    assert [link.span_id for link in attempt.links] == [first.span_id] and not first.links
    assert (first.status.code, attempt.status.code) == (Status.STATUS_CODE_ERROR, Status.STATUS_CODE_UNSET)
    told = attributes(attempt)
    assert (told["zen.workflow_id"], told["zen.step_id"], told["zen.attempt"]) == ("o-1", "pay", "2")
    assert (told["zen.outcome"], attributes(end)["zen.status"]) == ("succeeded", "completed")
    heard = peer.seen[-1].headers
    assert heard["traceparent"] == f"00-{TRACE}-{call.span_id.hex()}-01"
    assert heard["baggage"] == "zen.workflow_id=o-1,zen.saga_id=order"


def test_attempts_that_failed_are_told_though_their_trace_was_not_chosen(choosy: Receiver, peer: Peer) -> None:
    peer.behave("/things/a", 402)
    run = start(saga(peer))
    assert run.trace.endswith("-00")
    worked()
    spans = choosy.spans()
    assert set(spans) == {"attempt order.pay"}
    assert "baggage" not in peer.seen[-1].headers and peer.seen[-1].headers["traceparent"].endswith("-00")


def test_an_act_is_a_trace_of_its_own_with_a_link_to_the_runs(receiver: Receiver, peer: Peer) -> None:
    run = start(saga(peer))
    act(workflow_id="o-1", verb=Verb.HOLD, actor=ADA, note="wait")
    span = receiver.spans()["act hold"]
    assert span.trace_id.hex() != run.trace[3:35]
    assert [link.trace_id.hex() for link in span.links] == [run.trace[3:35]]


def test_the_runs_page_names_the_trace(receiver: Receiver, settings: Settings) -> None:
    settings.ZEN_TRACING = Tracing(endpoint="", share=1, page="https://traces.example.com/{trace_id}?tab=1")
    run = start({"saga_id": "order", "steps": [{"step_id": "a", "forward_action": {"type": "wait", "seconds": 1}}]})
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    page = client.get(f"/admin/orchestration/run/{run.pk}/change/").content.decode()
    assert f'href="https://traces.example.com/{run.trace[3:35]}?tab=1"' in page


def test_without_a_tracer_nothing_is_sent_or_stored(peer: Peer) -> None:
    run = start(saga(peer), traceparent=f"00-{TRACE}-{'1' * 16}-01")
    worked()
    assert run.trace == "" and "traceparent" not in peer.seen[-1].headers


@pytest.mark.parametrize(
    "given", ["", "00-0-0-00", f"00-{'0' * 32}-{'1' * 16}-01", f"01-{TRACE}-{'1' * 16}-01", "x" * 9999]
)
def test_a_traceparent_that_is_none_begins_a_trace(receiver: Receiver, given: str) -> None:
    assert Client().get("/livez", headers={"traceparent": given}).status_code == 200
    (span,) = receiver.spans().values()
    assert not span.parent_span_id and span.trace_id.hex() != TRACE
