"""A model that needs no network: answers on loopback as a script has it, in the words of four services.

For real coding agents in tests. It writes `files` by the tool that the agent offers for it (or a shell), one a round,
then says `last`. `chosen`: the files by what it is asked, in place of them. `mode`: `work`; `unauthorized` and
`limited` refuse; `silent` never answers; `overloaded` refuses for a while (529), so that the agent tries again and
again.
"""

from __future__ import annotations

import json
import shlex
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WRITERS = {"Write": "file_path", "write": "filePath", "write_file": "file_path"}
SHELLS = ("exec_command", "shell_command", "shell", "Bash", "bash", "run_shell_command")
INPUT, OUTPUT = 120, 30
REFUSALS = {"unauthorized": (401, "invalid api key"), "limited": (429, "rate limit"), "overloaded": (529, "overloaded")}


@dataclass
class Script:
    files: Mapping[str, str]
    last: str = "Done: the files are written."
    mode: str = "work"
    asked: list[dict[str, Any]] = field(default_factory=list)
    """The bodies of all requests."""
    chosen: Callable[[str], Mapping[str, str]] | None = None


@dataclass
class Say:
    text: str


@dataclass
class Use:
    name: str
    given: dict[str, Any]


Step = Say | Use


def step(script: Script, tools: list[str], done: int) -> Step:
    """What the model says after so many results of tools."""
    files = list(script.files.items())
    if not tools or done >= len(files):
        return Say(script.last)
    path, text = files[done]
    for name, key in WRITERS.items():
        if name in tools:
            return Use(name, {key: path, "content": text})
    shell = next(name for name in SHELLS if name in tools)
    command = f"printf %s {shlex.quote(text)} > {shlex.quote(path)}"
    if shell == "shell":
        return Use(shell, {"command": ["sh", "-c", command]})
    return Use(shell, {"cmd" if shell == "exec_command" else "command": command, **_described(shell)})


def _described(shell: str) -> dict[str, str]:
    return {"description": "Writes a file"} if shell in {"Bash", "bash", "run_shell_command"} else {}


def messages(script: Script, body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """POST /v1/messages."""
    done = sum(
        part.get("type") == "tool_result"
        for one in body["messages"]
        if isinstance(one["content"], list)
        for part in one["content"]
    )
    now = step(script, [tool["name"] for tool in body.get("tools", ()) if "name" in tool], done)
    usage = {"input_tokens": INPUT, "output_tokens": 1, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 0}
    start = {"id": f"msg_{uuid.uuid4().hex}", "type": "message", "role": "assistant", "model": body["model"]}
    start |= {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    yield "message_start", {"type": "message_start", "message": start}
    if isinstance(now, Say):
        block: dict[str, Any] = {"type": "text", "text": ""}
        delta: dict[str, Any] = {"type": "text_delta", "text": now.text}
    else:
        block = {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:20]}", "name": now.name, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(now.given)}
    yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}
    yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": 0}
    reason = "end_turn" if isinstance(now, Say) else "tool_use"
    ended = {"stop_reason": reason, "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": ended, "usage": {"output_tokens": OUTPUT}}
    yield "message_stop", {"type": "message_stop"}


def responses(script: Script, body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """POST /v1/responses."""
    done = sum(str(one.get("type", "")).endswith("_call_output") for one in body["input"])
    now = step(script, [tool.get("name", tool["type"]) for tool in body.get("tools", ())], done)
    response: dict[str, Any] = {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "status": "in_progress",
        "output": [],
    }
    yield "response.created", {"type": "response.created", "response": response}
    if isinstance(now, Say):
        content = [{"type": "output_text", "text": now.text, "annotations": []}]
        item: dict[str, Any] = {"type": "message", "role": "assistant", "status": "completed", "content": content}
    else:
        item = {"type": "function_call", "name": now.name, "arguments": json.dumps(now.given), "status": "completed"}
        item["call_id"] = f"call_{uuid.uuid4().hex[:12]}"
    item["id"] = f"item_{uuid.uuid4().hex[:12]}"
    yield "response.output_item.done", {"type": "response.output_item.done", "output_index": 0, "item": item}
    usage: dict[str, Any] = {"input_tokens": INPUT, "output_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT}
    usage_details: dict[str, Any] = {
        "input_tokens_details": {"cached_tokens": 20},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    ended = {**response, "status": "completed", "output": [item], "usage": {**usage, **usage_details}}
    yield "response.completed", {"type": "response.completed", "response": ended}


def completions(script: Script, body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """POST /v1/chat/completions, streamed."""
    done = sum(one["role"] == "tool" for one in body["messages"])
    now = step(script, [tool["function"]["name"] for tool in body.get("tools", ())], done)
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
    if isinstance(now, Say):
        delta: dict[str, Any] = {"role": "assistant", "content": now.text}
    else:
        call = {"name": now.name, "arguments": json.dumps(now.given)}
        identity = {"index": 0, "id": f"call_{uuid.uuid4().hex[:12]}", "type": "function"}
        delta = {"role": "assistant", "tool_calls": [{**identity, "function": call}]}
    yield "", {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    reason = "stop" if isinstance(now, Say) else "tool_calls"
    usage = {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT}
    cached = {"prompt_tokens_details": {"cached_tokens": 20}}
    yield "", {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": {**usage, **cached}}


def contents(script: Script, body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """POST /v1beta/models/…:streamGenerateContent."""
    done = sum("functionResponse" in part for one in body["contents"] for part in one["parts"])
    offered = [one["name"] for tool in body.get("tools", ()) for one in tool.get("functionDeclarations", ())]
    now = step(script, offered, done)
    part = {"text": now.text} if isinstance(now, Say) else {"functionCall": {"name": now.name, "args": now.given}}
    usage = {"promptTokenCount": INPUT, "candidatesTokenCount": OUTPUT, "cachedContentTokenCount": 20}
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    yield "", {"candidates": [candidate], "usageMetadata": {**usage, "totalTokenCount": INPUT + OUTPUT}}


def whole(events: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The answer of /v1/chat/completions that is not streamed."""
    (_, first), (_, last) = events
    choice = {"index": 0, "message": first["choices"][0]["delta"], "finish_reason": last["choices"][0]["finish_reason"]}
    return {**last, "object": "chat.completion", "choices": [choice]}


SERVICES = {"/messages": messages, "/responses": responses, "/chat/completions": completions, "Content": contents}


class ModelServer(ThreadingHTTPServer):
    """On a free port of loopback, in a thread, while the `with` lasts."""

    daemon_threads = True

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.script, self.stopped = script, threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> ModelServer:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.shutdown()
        self.server_close()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def do_GET(self) -> None:
        self._json(200, {"object": "list", "data": [], "models": []})

    def do_HEAD(self) -> None:
        self._json(200, {})

    def do_POST(self) -> None:
        script = self.server.script
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        service = next((one for end, one in SERVICES.items() if self.path.split("?")[0].endswith(end)), None)
        if service is None:
            self._json(200, {"input_tokens": INPUT, "totalTokens": INPUT})
            return
        script.asked.append(body)
        if script.mode == "silent":
            self.server.stopped.wait()
            return
        if script.mode in REFUSALS:
            status, said = REFUSALS[script.mode]
            error = {"type": f"{said.replace(' ', '_')}_error", "message": said, "code": status}
            self._json(status, {"type": "error", "error": error})
            return
        if script.chosen is not None:
            script = replace(script, files=script.chosen(json.dumps(body)))
        if service is contents and "streamGenerate" not in self.path:
            self._json(200, next(service(script, body))[1])
        elif service is completions and not body.get("stream"):
            self._json(200, whole(list(service(script, body))))
        else:
            self._stream(service(script, body))

    def _stream(self, events: Iterator[tuple[str, dict[str, Any]]]) -> None:
        lines = [f"{f'event: {name}' + chr(10) if name else ''}data: {json.dumps(data)}\n\n" for name, data in events]
        if not lines[0].startswith("event:") and "chat.completion" in lines[0]:
            lines.append("data: [DONE]\n\n")
        self._send(200, "text/event-stream", "".join(lines).encode())

    def _json(self, status: int, value: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        if status == 429:
            self.send_header("retry-after", "77")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass
