"""Our server in the words of coder/agentapi 0.12.1, over the scripted agent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from orchestration.agents.agentapi.conversation import Conversation
from orchestration.agents.agentapi.server import AgentApiServer
from orchestration.agents.base import SessionSpec
from orchestration.agents.drivers.scripted import ScriptedDriver
from tests.support.waiting import PATIENCE_SECONDS, wait_until


@pytest.fixture
def server(worktree: Path, tmp_path: Path) -> Iterator[AgentApiServer]:
    spec = SessionSpec(cwd=worktree, prompt="", stall_seconds=60, deadline_seconds=120)
    conversation = Conversation(ScriptedDriver(), spec, "CLAUDE", now=lambda: datetime.now(UTC), done=lambda: None)
    made = AgentApiServer(conversation, 0, tmp_path / "uploads")
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.finish()


@pytest.fixture
def http(server: AgentApiServer) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"http://127.0.0.1:{server.server_port}", timeout=60, trust_env=False) as client:
        yield client


def say(http: httpx2.Client, content: str, kind: str = "user") -> httpx2.Response:
    return http.post("/message", json={"content": content, "type": kind})


def status(http: httpx2.Client) -> dict[str, Any]:
    found: dict[str, Any] = http.get("/status").json()
    return found


def wait_for(http: httpx2.Client, done: Callable[[dict[str, Any]], object]) -> None:
    wait_until(lambda: done(status(http)), lambda: f"the turn; it is {status(http)}")


def is_stable(found: dict[str, Any]) -> bool:
    return bool(found["status"] == "stable" and found["turn"])


def test_a_message_is_answered_and_both_are_kept(http: httpx2.Client, worktree: Path) -> None:
    assert status(http)["status"] == "stable" and status(http)["agent_type"] == "claude"
    assert http.get("/messages").json() == {"messages": []}
    assert say(http, "Task t1\nGreet the moon.").json() == {"ok": True}
    wait_for(http, is_stable)
    user, agent = http.get("/messages").json()["messages"]
    assert (user["id"], user["role"], user["content"]) == (0, "user", "Task t1\nGreet the moon.")
    assert (agent["id"], agent["role"]) == (1, "agent") and "not a model" in agent["content"]
    assert datetime.fromisoformat(user["time"]) <= datetime.fromisoformat(agent["time"])
    assert "Greet the moon." in (worktree / "t1.md").read_text() and status(http)["turn"]["reason"] == "end_turn"


def test_the_next_message_goes_on_in_the_same_session(http: httpx2.Client) -> None:
    say(http, "first")
    wait_for(http, is_stable)
    first = status(http)["session_id"]
    say(http, "second")
    wait_for(http, is_stable)
    assert status(http)["session_id"] == first != ""
    assert [one["role"] for one in http.get("/messages").json()["messages"]] == ["user", "agent", "user", "agent"]


def test_a_busy_agent_is_a_conflict_in_agentapis_own_words(http: httpx2.Client) -> None:
    say(http, "scripted: hangs")
    refused = say(http, "another")
    assert refused.status_code == 409 and refused.headers["content-type"] == "application/problem+json"
    (error,) = refused.json()["errors"]
    assert error["message"] == "message can only be sent when the agent is waiting for user input"
    assert say(http, "\x03", "raw").json() == {"ok": True}
    wait_for(http, is_stable)
    assert status(http)["turn"]["reason"] == "cancelled"
    assert [one["content"] for one in http.get("/messages").json()["messages"] if one["role"] == "user"] == [
        "scripted: hangs"
    ]


@pytest.mark.parametrize("answer", ["2", "omega"])
def test_a_question_waits_for_its_answer(http: httpx2.Client, worktree: Path, answer: str) -> None:
    say(http, "Task t1\nscripted: question")
    wait_for(http, lambda found: found["question"])
    asked = status(http)
    assert asked["status"] == "stable" and [one["id"] for one in asked["question"]["options"]] == ["alpha", "omega"]
    assert "2. omega" in http.get("/messages").json()["messages"][-1]["content"]
    say(http, answer, "raw" if answer == "2" else "user")
    wait_for(http, is_stable)
    assert "Answer: omega" in (worktree / "t1.md").read_text()


def test_a_permission_is_never_given_by_words_that_are_no_option(http: httpx2.Client, worktree: Path) -> None:
    say(http, "scripted: permission")
    wait_for(http, lambda found: found["question"])
    say(http, "do as you like")
    wait_for(http, is_stable)
    assert not list(worktree.glob("*.md"))


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"content": " x", "type": "user"}, 422, "message must be trimmed of leading and trailing whitespace"),
        ({"content": "", "type": "user"}, 422, "message must not be empty"),
        ({"content": "x", "type": "shout"}, 422, 'expected value to be one of "user, raw"'),
        ({"content": "x"}, 422, "expected required property type to be present"),
        ({"content": 1, "type": "user"}, 422, "expected string"),
        ([], 422, "expected object"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(http: httpx2.Client, body: Any, code: int, said: str) -> None:
    answer = http.post("/message", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (code, said)
    assert answer.json()["status"] == code and http.get("/messages").json() == {"messages": []}


def test_bodies_without_end_and_without_sense_are_refused(http: httpx2.Client) -> None:
    assert http.post("/message", content=b"{", headers={"content-type": "application/json"}).status_code == 400
    assert http.post("/message", content=b"x=1", headers={"content-type": "text/plain"}).status_code == 415
    assert http.post("/message", content=iter([b"{}"])).status_code == 411
    large = http.post("/message", content=b" " * 2_000_000, headers={"content-type": "application/json"})
    assert large.status_code == 413 and http.get("/nothing").status_code == 404


def test_a_page_of_another_site_that_resolves_here_is_refused(http: httpx2.Client) -> None:
    answer = http.get("/status", headers={"host": "evil.example:3284"})
    assert answer.status_code == 400 and answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["connection"] == "close"
    assert http.get("/status", headers={"host": "localhost:3284"}).status_code == 200
    assert http.get("/status", headers={"host": "[::1]:1"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example", "content-type": "text/plain"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost.evil.example:3284"}, 403),
        ({"content-type": "text/plain; json"}, 415),
        ({"origin": "http://localhost:3000"}, 403),
        ({"origin": "http://localhost:3284", "host": "localhost:3284"}, 422),
    ],
)
def test_a_page_of_another_site_makes_no_agent_work(http: httpx2.Client, headers: dict[str, str], status: int) -> None:
    """As a browser sends it without asking first: any page that somebody has open could."""
    assert http.post("/message", content=b'{"content": " x", "type": "user"}', headers=headers).status_code == status
    assert http.get("/messages").json()["messages"] == []


def events(http: httpx2.Client, until: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with http.stream("GET", "/events") as response:
        assert response.headers["content-type"] == "text/event-stream"
        one: dict[str, Any] = {}
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if line == "" and one:
                found.append(one)
                if until(one):
                    return found
                one = {}
            elif name in ("id", "event", "data"):
                one[name] = json.loads(value) if name == "data" else value
    return found


def test_events_begin_with_all_that_was_said_and_go_on(http: httpx2.Client) -> None:
    say(http, "scripted: crashes")
    wait_for(http, is_stable)
    replayed = events(http, lambda one: one["event"] == "status_change")
    assert [one["event"] for one in replayed] == ["message_update", "message_update", "status_change"]
    assert (
        set(replayed[0]["data"]) == {"id", "role", "message", "time"}
        and replayed[0]["data"]["message"] == "scripted: crashes"
    )
    assert replayed[-1]["data"] == {"status": "stable", "agent_type": "claude"}

    heard: list[dict[str, Any]] = []
    ready = threading.Event()

    def listen() -> None:
        def until(one: dict[str, Any]) -> bool:
            heard.append(one)
            ready.set()
            begun = any(two["data"].get("status") == "running" for two in heard)
            return begun and one["data"].get("status") == "stable"

        events(http, until)

    thread = threading.Thread(target=listen)
    thread.start()
    wait_until(ready.is_set, "the first event")
    say(http, "again")
    thread.join(PATIENCE_SECONDS)
    assert [one["data"]["level"] for one in heard if one["event"] == "agent_error"] == ["error"]
    numbers = [int(one["id"]) for one in heard]
    assert numbers == sorted(set(numbers))


def test_a_file_is_kept_under_its_own_name_and_no_other_place(http: httpx2.Client, tmp_path: Path) -> None:
    answer = http.post("/upload", files={"file": ("../../evil.txt", b"data")}).json()
    place = Path(answer["filePath"])
    assert answer["ok"] and place.name == "evil.txt" and place.is_relative_to(tmp_path / "uploads")
    assert place.read_bytes() == b"data"
    assert http.post("/upload", files={"other": ("a", b"x")}).status_code == 422
    assert http.post("/upload", content=b"x").status_code == 422
    assert http.post("/upload", content=b"x" * 11_000_000).status_code == 413


def test_its_document_names_every_address(http: httpx2.Client) -> None:
    document = http.get("/openapi.json").json()
    assert set(document["paths"]) == {"/status", "/messages", "/message", "/upload", "/events"}
    assert document["info"]["version"] == "0.12.1"
