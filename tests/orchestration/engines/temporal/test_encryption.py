"""TLS, mTLS, an API key and encrypted payloads, on the real server."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from temporalio.client import Client

from orchestration.core.enums import Verb
from orchestration.engines.registry import ENGINES
from orchestration.engines.temporal.engine import TemporalEngine
from orchestration.engines.temporal.payload_codec import Unreadable, converter
from orchestration.models import Run
from orchestration.runs import act
from orchestration.runs.waiting_reasons import why
from orchestration.workers.temporal.worker import hosted
from tests.support.peer import Peer, serving
from tests.support.servers.tls_proxy import Authority, tls_proxy
from tests.system.contract.hosts import until
from tests.system.contract.sagas import ADA, start, step

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = os.urandom(32), os.urandom(32)


@pytest.fixture
def peer(settings: Settings, temporal_dev_server: str, transactional_db: None) -> Iterator[Peer]:
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TASK_QUEUE = temporal_dev_server, f"tls-{uuid.uuid4().hex[:6]}"
    with serving() as running:
        settings.ZEN_OUTBOUND_ALLOW = (running.address,)
        yield running


def reached() -> str:
    """'' when the server is reached, else why not."""
    reach = TemporalEngine().reach()
    return "" if reach.ok else reach.why


def test_a_run_over_mtls_with_an_api_key(peer: Peer, settings: Settings, tmp_path: Path) -> None:
    """The step takes longer than a heartbeat may be away, so the heartbeat process is let in as well."""
    ours, others = Authority(tmp_path, "ours"), Authority(tmp_path, "others")
    peer.delay["/things/a"] = 8.0
    with tls_proxy(settings.TEMPORAL_ADDRESS, cert=ours.pem("zen.test"), client_ca=ours.ca) as proxy:
        settings.TEMPORAL_ADDRESS, settings.TEMPORAL_TLS = proxy.address, True
        settings.TEMPORAL_TLS_CA, settings.TEMPORAL_TLS_SERVER_NAME = str(ours.ca), "zen.test"
        assert "cannot be reached" in reached(), "without a certificate of our own"
        settings.TEMPORAL_TLS_CERT, settings.TEMPORAL_TLS_KEY = map(str, others.pem("client"))
        assert "cannot be reached" in reached(), "with a certificate of somebody else's authority"
        settings.TEMPORAL_TLS_CERT, settings.TEMPORAL_TLS_KEY = map(str, ours.pem("client"))
        settings.TEMPORAL_TLS_CA = str(others.ca)
        assert "cannot be reached" in reached(), "and the server has one of another authority"
        settings.TEMPORAL_TLS_CA, settings.TEMPORAL_TLS_SERVER_NAME = str(ours.ca), "other.test"
        assert "cannot be reached" in reached(), "and the server has another name"
        settings.TEMPORAL_TLS_SERVER_NAME, settings.TEMPORAL_API_KEY = "zen.test", "key-of-ours"
        assert reached() == ""
        with hosted():
            run = start(peer, "temporal", step("a"), step("b"))
            until(run)
    assert run.status == "completed" and peer.methods("POST") == ["/things/a", "/things/b"]
    beats = [asked for asked in proxy.requests if asked[":path"].endswith("/RecordActivityTaskHeartbeat")]
    assert beats and {asked.get("authorization") for asked in proxy.requests} == {"Bearer key-of-ours"}


def test_a_key_file_that_is_gone_is_said(peer: Peer, settings: Settings) -> None:
    settings.TEMPORAL_TLS, settings.TEMPORAL_TLS_CA = True, "/nowhere/ca.pem"
    assert "/nowhere/ca.pem" in reached()


def payloads(address: str, run: Run) -> list[dict[str, Any]]:
    """All that the server keeps of a run, as whoever reads its database sees it."""

    async def history() -> str:
        handle = (await Client.connect(address)).get_workflow_handle(run.workflow_id)
        return (await handle.fetch_history()).to_json()

    found: list[dict[str, Any]] = []

    def gather(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("markerName") == "core_local_activity":
                del value["details"]["data"]  # the SDK's own notes: numbers and moments
            if "metadata" in value and "data" in value:
                found.append(value["metadata"])
            for inner in value.values():
                gather(inner)
        elif isinstance(value, list):
            for inner in value:
                gather(inner)

    gather(json.loads(asyncio.run(history())))
    return found


def key_ids(address: str, run: Run) -> set[str]:
    import base64

    metadata = payloads(address, run)
    assert all(base64.b64decode(one["encoding"]) == b"binary/encrypted" for one in metadata), metadata
    return {base64.b64decode(one["encryption-key-id"]).decode() for one in metadata}


def waiting(peer: Peer) -> Run:
    pause = {"step_id": "w", "dependencies": ["a"], "forward_action": {"type": "wait", "seconds": 3600}}
    run = start(peer, "temporal", step("a", []), pause)
    return until(run, lambda run: run.status == "waiting")


def test_payloads_are_encrypted_and_an_old_key_still_reads(peer: Peer, settings: Settings) -> None:
    address = settings.TEMPORAL_ADDRESS
    settings.ZEN_TEMPORAL_CODEC_KEYS = {"old": OLD}
    with hosted():
        run = waiting(peer)
    assert key_ids(address, run) == {"old"}
    settings.ZEN_TEMPORAL_CODEC_KEYS = {"new": NEW, "old": OLD}
    with hosted():
        act(workflow_id=run.workflow_id, verb=Verb.HOLD, actor=ADA, note="n")
        until(run, lambda run: run.status == "held")
    assert key_ids(address, run) == {"new", "old"}


def test_a_run_of_before_there_was_a_key_goes_on(peer: Peer, settings: Settings) -> None:
    with hosted():
        run = waiting(peer)
    settings.ZEN_TEMPORAL_CODEC_KEYS = {"new": NEW}
    with hosted():
        act(workflow_id=run.workflow_id, verb=Verb.ABORT, actor=ADA, note="n")
        until(run, lambda run: run.finished_at is not None)
    assert run.status == "rolled_back"


@pytest.mark.parametrize("keys", [{"new": NEW}, {"old": NEW}, {}], ids=["another", "wrong", "none"])
def test_a_missing_key_holds_the_run_up_and_says_so(peer: Peer, settings: Settings, keys: dict[str, bytes]) -> None:
    settings.ZEN_TEMPORAL_CODEC_KEYS = {"old": OLD}
    pause = {"step_id": "w", "dependencies": ["a"], "forward_action": {"type": "wait", "seconds": 2}}
    with hosted():
        run = start(peer, "temporal", step("a", []), pause, step("b", ["w"]))
        until(run, lambda run: run.status == "waiting")
    settings.ZEN_TEMPORAL_CODEC_KEYS = keys
    with hosted():
        until(run, lambda run: any("engine trouble" in line and "'old'" in line for line in why(run)))
        until(run, lambda run: "ZEN_TEMPORAL_CODEC_KEYS" in run.error)
        assert run.status == "waiting"
    settings.ZEN_TEMPORAL_CODEC_KEYS = keys | {"old": OLD}
    with hosted():
        until(run, lambda run: run.finished_at is not None)
    assert run.status == "completed" and ENGINES["temporal"].report(run).trouble == ""


async def through(value: object, *, to: str = "here", key: bytes = OLD) -> list[Any]:
    written = await converter({"a": OLD}, "here").encode([value])
    return await converter({"b": NEW, "a": key}, to).decode(written)


def test_what_was_encrypted_for_another_namespace_or_with_another_key_is_not_read() -> None:
    assert asyncio.run(through({"x": 1})) == [{"x": 1}]
    for other in ({"to": "elsewhere"}, {"key": NEW}):
        with pytest.raises(Unreadable, match="'a'"):
            asyncio.run(through({"x": 1}, **other))


def test_what_a_failure_says_is_encrypted_too() -> None:
    from temporalio.api.failure.v1 import Failure

    async def written() -> tuple[Failure, BaseException]:
        with_keys, failure = converter({"a": OLD}, "here"), Failure()
        await with_keys.encode_failure(RuntimeError("card 4111"), failure)
        copy = Failure.FromString(failure.SerializeToString())
        return failure, await with_keys.decode_failure(copy)

    failure, read = asyncio.run(written())
    assert "4111" not in str(failure) and "4111" in str(read)
