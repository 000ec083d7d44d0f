"""No secret stands anywhere but where it was sent: all tables, the log, Temporal's history and the API are searched.

The services that the saga calls repeat what they were sent, in every way that services do.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client as Browser
from pytest_django import Settings
from temporalio.client import Client

from foundation.secrets.redaction import RedactingFilter
from orchestration.actions.base import Call
from orchestration.execution import action_table
from orchestration.models import Run
from orchestration.runs.queries import run_view
from tests.support.peer import Peer
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step

TOKEN = "tK9/vQ+x&<7Zw=Lm'3Hj"
PHRASE = 'gänse"füße\\zählen?4u'
NUMBER = "73190462"
WINDOW = 8
HANDLERS = "tests.orchestration.actions.handlers"


@pytest.fixture
def log(settings: Settings) -> Iterator[io.StringIO]:
    """What the log says at its most talkative, through the filter that the site's own handler has."""
    assert settings.LOGGING["handlers"]["stderr"]["filters"][0] == "redact"
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    handler.addFilter(RedactingFilter())
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("", "httpx2", "httpcore2", "celery")}
    root.addHandler(handler)
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield told
    root.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def known(settings: Settings) -> None:
    settings.ZEN_SECRETS = {"TOKEN": TOKEN, "PHRASE": PHRASE, "NUMBER": NUMBER}
    settings.ZEN_SCRIPTS = "unsafe"
    settings.ZEN_TASKS = {name: f"{HANDLERS}.{name}" for name in ("repeat", "tell")}


def test_a_secret_is_nowhere_but_where_it_was_sent(
    engine: str, peer: Peer, known: None, settings: Settings, log: io.StringIO
) -> None:
    prepare(peer)
    run = until(start(peer, engine, *steps(), max_parallel=3))
    view = run_view(run)
    statuses = {s["step_id"]: s["status"] for s in view["steps"]}
    assert view["status"] == "rolled_back", view["error"]
    assert statuses == {
        "everywhere": "succeeded", "refused": "failed", "moved": "failed", "busy": "unknown", "script": "succeeded",
        "told": "failed", "task": "succeeded", "raised": "unknown", "broken_promise": "unknown", "last": "failed",
    }  # fmt: skip
    sent = json.dumps([[seen.path, seen.headers, seen.body] for seen in peer.seen], ensure_ascii=False)
    assert TOKEN in sent and quote(TOKEN, safe="") in sent and NUMBER in sent
    assert [seen.headers["authorization"] for seen in peer.seen if seen.method == "DELETE"] == [f"Bearer {TOKEN}"] * 2
    places = {"tables": tables(), "log": log.getvalue(), "api": api(run), "view": str(view)}
    if engine == "temporal":
        places["history"] = history(run)
    assert "[redacted]" in places["tables"] and "[redacted]" in places["api"]
    assert {name: leaks(text) for name, text in places.items() if leaks(text)} == {}


@pytest.mark.slow
def test_a_fault_of_the_machinery_tells_no_secret(
    peer: Peer, known: None, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """On Temporal, which keeps the failures of activities with their stack traces."""

    def broken(call: Call) -> Any:
        raise RuntimeError(f"lost while sending {call.action['token']}") from OSError(str(call.action["token"]))

    request.getfixturevalue("on_temporal")
    monkeypatch.setitem(action_table.ACTIONS, "task", broken)
    action = {"type": "task", "handler": "x.y", "token": "{secret:TOKEN}"}
    run = until(start(peer, "temporal", step("a", forward_action=action)))
    assert run.status == "held" and "lost while sending [redacted]" in tables()
    places = {"tables": tables(), "log": log.getvalue(), "history": history(run)}
    assert "lost while sending [redacted]" in places["log"]
    assert {name: leaks(text) for name, text in places.items() if leaks(text)} == {}


def prepare(peer: Peer) -> None:
    ways = (TOKEN, quote(TOKEN, safe=""), json.dumps({"t": TOKEN}), *map(b64, (TOKEN, f"me:{TOKEN}", f"you:{TOKEN}")))
    peer.say("/refuse290", 422, body=("x" * 290 + TOKEN).encode())  # where the excerpt of a refusal ends
    peer.say("/refuse", 422, {"X-Request-Id": TOKEN}, " ".join(ways).encode())
    peer.say("/moved", 302, {"Location": f"/there/{quote(TOKEN, safe='')}?t={quote(TOKEN)}"})
    peer.say("/busy", 503, {"Retry-After": "0", "Server": TOKEN}, b64(TOKEN).encode())
    peer.say("/echo", 200, body=json.dumps({"list": ways, TOKEN: int(NUMBER), "n": f"x{NUMBER}y"}).encode())


def steps() -> list[dict[str, Any]]:
    headers = {"Authorization": "Bearer {secret:TOKEN}"}
    undo = {"type": "api_call", "method": "DELETE", "url": "{base}/things/{secret:TOKEN}", "headers": headers}
    everywhere = {
        "type": "api_call",
        "method": "POST",
        "url": "{base}/things/{secret:TOKEN}?q={secret:TOKEN}",
        "headers": headers | {"X-Number": "{secret:NUMBER}"},
        "payload": {"t": ["{secret:TOKEN}", "a {secret:PHRASE} b"], "n": "{secret:NUMBER}"},
    }
    soft: dict[str, Any] = {"critical": False, "undo": False}
    env = {"T": "{secret:TOKEN}", "P": "{secret:PHRASE}"}
    said = 'echo "$T $P" >&2; printf "%s" "$T" | base64; printf "%s" "$P" | base64; echo "$T" "$P"'
    task = {"type": "task", "token": "{secret:PHRASE}", "more": ["{secret:TOKEN}"]}
    promise: dict[str, Any] = {"output_schema": {"properties": {"n": {"type": "integer"}}}, "compensation_action": undo}
    return [
        step("everywhere", forward_action=everywhere, compensation_action=undo),
        step("refused", forward_action=get("/refuse"), **soft),
        step("moved", forward_action={**get("/moved"), "follow_redirects": True}, **soft),
        step("busy", forward_action=get("/busy"), retry_count=2, **soft),
        step("script", forward_action={"type": "script", "script": said, "env": env}, **soft),
        step("told", forward_action={"type": "script", "script": f"{said}; exit 3", "env": env}, **soft),
        step("task", forward_action={**task, "handler": "repeat"}, **soft),
        step("raised", forward_action={**task, "handler": "tell"}, **soft),
        step("broken_promise", forward_action=get("/echo"), critical=False, **promise),
        step("last", forward_action=get("/refuse290"), undo=False),
    ]


def get(path: str) -> dict[str, Any]:
    return {"type": "api_call", "url": f"{{base}}{path}", "headers": {"X-Key": "{secret:TOKEN}"}}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def tables() -> str:
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found += [cell if isinstance(cell, str) else str(cell) for row in cursor.fetchall() for cell in row]
    return "\n".join(found)


def history(run: Run) -> str:
    """Every event as the server keeps it: payloads stand in it as the bytes they are."""

    async def events() -> list[bytes]:
        client = await Client.connect(django_settings.TEMPORAL_ADDRESS)
        kept = await client.get_workflow_handle(run.workflow_id).fetch_history()
        return [event.SerializeToString() for event in kept.events]

    return b"\n".join(asyncio.run(events())).decode(errors="replace")


def api(run: Run) -> str:
    browser = Browser()
    browser.force_login(get_user_model().objects.create_superuser("root"))
    paths = [f"/api/v1/runs/{run.workflow_id}/{more}" for more in ("", "events/", "why/")]
    answers = [browser.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * 3
    return "\n".join(answer.content.decode() for answer in answers)


def leaks(text: str) -> list[str]:
    """Pieces of a secret, in any writing, that are long enough to be no accident."""
    found = []
    for secret in (TOKEN, PHRASE, NUMBER):
        writings = [secret, json.dumps(secret)[1:-1], quote(secret, safe=""), secret.encode().hex()]
        writings += [b64("\0" * offset + secret)[4:-4] for offset in range(3)]
        for writing in writings:
            pieces = [writing[at : at + WINDOW] for at in range(len(writing) - WINDOW + 1)]
            found += [piece for piece in pieces if piece in text]
    return found
