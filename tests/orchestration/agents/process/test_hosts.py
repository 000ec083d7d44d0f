"""A program in a sandbox with a list of hosts: what it reaches, what it does not, and that nothing of it is left."""

from __future__ import annotations

import http.server
import json
import os
import queue
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestration.agents.base import Sandbox
from orchestration.agents.process import proxy as room
from orchestration.agents.process.group import Program
from orchestration.agents.process.proxy import proxy_for
from orchestration.agents.process.sandbox import NoSandbox, confined
from tests.support.waiting import PATIENCE_SECONDS, wait_until

ASK = (
    "import json, os, socket, sys, urllib.error, urllib.request\n"
    "def get(url):\n"
    "    try:\n"
    "        return urllib.request.urlopen(url, timeout=60).read().decode()\n"
    "    except urllib.error.HTTPError as error:\n"
    "        return f'{error.code} {error.read().decode()}'\n"
    "    except OSError as error:\n"
    "        return f'failed {error}'\n"
    "def proxied(head):\n"
    "    host, port = os.environ['HTTP_PROXY'].removeprefix('http://').split(':')\n"
    "    with socket.create_connection((host, int(port)), timeout=60) as one:\n"
    "        one.sendall(head.encode())\n"
    "        said = b''\n"
    "        while piece := one.recv(65536):\n"
    "            said += piece\n"
    "        return said.decode()\n"
    "def dial(host, port):\n"
    "    try:\n"
    "        socket.create_connection((host, port), timeout=60).close(); return 'open'\n"
    "    except OSError as error:\n"
    "        return str(error.strerror or error)\n"
    "for line in sys.stdin:\n"
    "    what, *given = json.loads(line)\n"
    "    print(json.dumps({'get': get, 'proxied': proxied, 'dial': dial, 'env': lambda: dict(os.environ),\n"
    "        'fds': lambda: sorted(os.listdir('/proc/self/fd'))}[what](*given)), flush=True)\n"
)


class Served(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"here is {self.headers['host']} {self.path}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server on the worker's loopback."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Served) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Addresses of hosts below .test, of the worker's own resolver; an address that is taken once goes to the end."""
    found: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        if not str(host).endswith(".test"):
            return real(host, port, *more, **named)
        if str(host) not in found:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        address = found[host].pop(0)
        found[host].append(address)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return found


class Inside:
    """A program in the sandbox that does what it is told."""

    def __init__(self, cwd: Path, *hosts: str) -> None:
        sandbox = Sandbox(network="hosts", hosts=hosts)
        self.denied: queue.SimpleQueue[str] = queue.SimpleQueue()
        proxy = proxy_for(sandbox, self.denied.put)
        assert proxy is not None
        self.proxy, env = proxy, {"PATH": os.environ["PATH"]}
        words = confined([sys.executable, "-c", ASK], cwd=cwd, sandbox=sandbox, env=env)
        self.program = Program(words, cwd=cwd, env=env, proxy=proxy)

    def __call__(self, *words: object) -> Any:
        self.program.say(json.dumps(words).encode() + b"\n")
        line = self.program.next_line(PATIENCE_SECONDS)
        assert line is not None and not line.at_end, self.program.errors()
        return json.loads(line.data)


@pytest.fixture
def inside(worktree: Path, bubblewrap: None) -> Iterator[Any]:
    begun: list[Inside] = []

    def begin(*hosts: str) -> Inside:
        begun.append(Inside(worktree, *hosts))
        return begun[-1]

    yield begin
    for one in begun:
        one.program.end()


def test_a_listed_host_is_reached_by_plain_http_and_by_connect(
    inside: Any, port: int, names: dict[str, list[str]]
) -> None:
    names["models.test"] = ["127.0.0.1"]
    agent = inside(f"models.test:{port}")
    assert agent("get", f"http://models.test:{port}/a?b=c") == f"here is models.test:{port} /a?b=c"
    request = "GET /deep HTTP/1.1\r\nHost: within\r\nConnection: close\r\n\r\n"
    said = agent("proxied", f"CONNECT models.test:{port} HTTP/1.1\r\nHost: models.test:{port}\r\n\r\n{request}")
    assert said.startswith("HTTP/1.1 200 ") and said.endswith("here is within /deep")
    assert agent.denied.empty()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_reaches_it_too_and_hears_why_another_is_denied(
    inside: Any, port: int, names: dict[str, list[str]], worktree: Path
) -> None:
    names["models.test"] = ["127.0.0.1"]
    sandbox = Sandbox(network="hosts", hosts=(f"models.test:{port}",))
    asked = ("{url}; echo", "-p {url}; echo", "http://evil.test/", "https://evil.test/ -w '%{http_connect}'")
    script = "; ".join(f"curl -s {one}" for one in asked).replace("{url}", f"http://models.test:{port}/x")
    denied: list[str] = []
    env = {"PATH": os.environ["PATH"]}
    words = confined(["/bin/sh", "-c", script], cwd=worktree, sandbox=sandbox, env=env)
    program = Program(words, cwd=worktree, env=env, proxy=proxy_for(sandbox, denied.append))
    try:
        lines = []
        while (line := program.next_line(PATIENCE_SECONDS)) is not None and not line.at_end:
            lines.append(line.data.decode())
    finally:
        program.end()
    here = f"here is models.test:{port} /x"
    assert lines[:2] == [here, here] and "--host evil.test:80" in lines[2] and lines[3].endswith("403"), lines
    assert [one.split(",")[0] for one in denied] == ["asked for evil.test:80", "asked for evil.test:443"]


def test_another_host_is_denied_and_told_once(inside: Any, port: int) -> None:
    agent = inside("api.openai.com")
    for _ in range(2):
        said = agent("get", "http://evil.example/")
        assert said.startswith("403 evil.example:80 is not in the list of hosts that this agent may reach; to allow it")
        assert "--network hosts --host evil.example:80" in said
    assert agent.denied.get_nowait() == "asked for evil.example:80, which is not in its list of hosts"
    assert agent.denied.empty()
    assert agent("proxied", f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n").startswith("HTTP/1.1 403 ")


def test_nothing_is_reached_without_the_proxy(inside: Any, port: int) -> None:
    agent = inside("api.openai.com")
    assert agent("dial", "127.0.0.1", port) == "Connection refused"
    assert agent("dial", "192.0.2.1", 80) == "Network is unreachable"


def test_it_has_no_descriptor_but_its_three(inside: Any) -> None:
    agent = inside("api.openai.com")
    assert agent("fds") == ["0", "1", "2", "3"]  # the last is that of the folder that is listed


def test_the_loopback_of_the_worker_is_reached_at_a_listed_port_without_any_proxy(inside: Any, port: int) -> None:
    agent = inside(f"127.0.0.1:{port}")
    assert agent("dial", "127.0.0.1", port) == "open"
    assert agent("get", f"http://127.0.0.1:{port}/") == f"here is 127.0.0.1:{port} /"
    asked = f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: other\r\n\r\n"
    assert agent("proxied", asked).endswith(f"here is 127.0.0.1:{port} /"), "the host is that of the address"


def test_both_cases_of_the_variables_point_to_it_and_spare_its_own_loopback(inside: Any) -> None:
    env = inside("api.openai.com")("env")
    urls = {env[name] for one in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY") for name in (one, one.lower())}
    assert len(urls) == 1 and urls.pop().startswith("http://127.0.0.1:")
    assert env["NO_PROXY"] == env["no_proxy"] == "localhost,127.0.0.1,::1" and env["NODE_USE_ENV_PROXY"] == "1"


@pytest.mark.parametrize("entry", ["inner.test", "*.inner.test:{port}"])
def test_a_name_at_a_private_address_is_refused_unless_named_with_its_port(
    inside: Any, port: int, names: dict[str, list[str]], entry: str
) -> None:
    names["inner.test"] = names["a.inner.test"] = ["127.0.0.1"]
    entry, host = entry.format(port=port), "inner.test:80" if entry == "inner.test" else f"a.inner.test:{port}"
    agent = inside(entry)
    said = agent("get", f"http://{host}/")
    assert said.startswith("403 ") and "is at 127.0.0.1, which is not a public address; to allow it" in said
    assert f"--host {host}" in said and host in agent.denied.get_nowait()


def test_metadata_is_refused_though_it_is_listed(inside: Any, names: dict[str, list[str]]) -> None:
    names["meta.test"] = ["169.254.169.254"]
    assert "metadata" in inside("meta.test:80")("get", "http://meta.test/")


def test_what_was_judged_is_dialled(inside: Any, port: int, names: dict[str, list[str]]) -> None:
    """A name that answers with another address each time is asked for one alone."""
    names["turns.test"] = ["127.0.0.1", "127.0.0.9"]
    agent = inside(f"turns.test:{port}")
    assert agent("get", f"http://turns.test:{port}/") == f"here is turns.test:{port} /"
    assert names["turns.test"] == ["127.0.0.9", "127.0.0.1"]


def test_a_name_that_nobody_knows_and_a_closed_port_are_told(inside: Any, names: dict[str, list[str]]) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        names["closed.test"] = ["127.0.0.1"]
        closed = f"closed.test:{held.getsockname()[1]}"
        agent = inside("unknown.test", closed)
        assert agent("get", "http://unknown.test/").startswith("502 the name unknown.test cannot be resolved")
        assert agent("get", f"http://{closed}/").startswith(f"502 {closed} takes no connection")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("nonsense\r\n\r\n", 400),
        ("CONNECT api.openai.com HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET /path HTTP/1.1\r\nHost: api.openai.com\r\n\r\n", 400),
        ("GET ftp://api.openai.com/ HTTP/1.1\r\nHost: a\r\n\r\n", 403),
        (f"GET http://api.openai.com/ HTTP/1.1\r\nHost: a\r\nX: {'x' * 70_000}\r\n\r\n", 431),
    ],
)
def test_what_is_no_request_of_a_proxy_is_refused(inside: Any, head: str, status: int) -> None:
    assert inside("api.openai.com")("proxied", head).startswith(f"HTTP/1.1 {status} ")


def test_bounds_on_connections_and_on_silence(inside: Any, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_CONNECTIONS", 0)
    agent = inside(f"127.0.0.1:{port}")
    assert agent("get", f"http://127.0.0.1:{port}/").startswith("failed ")
    monkeypatch.setattr(room, "MOST_CONNECTIONS", 1)
    monkeypatch.setattr(room, "IDLE_SECONDS", 0.2)
    said = agent("proxied", f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n")
    assert said == "HTTP/1.1 200 Connection established\r\n\r\n"


def _of_the_proxy() -> tuple[list[str], set[str]]:
    sockets = {os.readlink(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd") if _is_socket(one)}
    return [one.name for one in threading.enumerate() if one.name == "zen-proxy"], sockets


def _is_socket(descriptor: str) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")
    except OSError:
        return False


@pytest.mark.parametrize("how", ["ended", "killed"])
def test_nothing_of_it_is_left(worktree: Path, bubblewrap: None, port: int, how: str) -> None:
    before = _of_the_proxy()
    agent = Inside(worktree, f"127.0.0.1:{port}")
    assert agent("dial", "127.0.0.1", port) == "open"
    assert _of_the_proxy() != before
    if how == "killed":
        os.kill(agent.program.keeper_pid, signal.SIGKILL)
        wait_until(lambda: agent.program.wait(0) is not None, "the keeper to be gone")
    agent.program.end()
    wait_until(lambda: _of_the_proxy()[1] <= before[1], "its sockets to be closed")
    assert _of_the_proxy()[0] == before[0]


def test_a_program_that_never_begins_leaves_nothing(tmp_path: Path) -> None:
    before = _of_the_proxy()
    for command in (["/no/such/program"], ["true"]):
        proxy = proxy_for(Sandbox(network="hosts", hosts=("api.openai.com",)), lambda _: None)
        program = Program(command, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, proxy=proxy)
        assert program.wait(PATIENCE_SECONDS) is not None
        program.end()
    proxy = proxy_for(Sandbox(network="hosts", hosts=("api.openai.com",)), lambda _: None)
    with pytest.raises(FileNotFoundError):
        Program(["true"], cwd=tmp_path / "not-there", env={}, proxy=proxy)
    assert _of_the_proxy() == before


@pytest.mark.parametrize("mode", ["required", "if_possible", "off"])
def test_a_list_that_cannot_be_kept_is_refused(worktree: Path, monkeypatch: pytest.MonkeyPatch, mode: Any) -> None:
    monkeypatch.setattr("orchestration.agents.process.sandbox.bubblewrap", lambda: None)
    with pytest.raises(NoSandbox, match="install bubblewrap"):
        confined(["true"], cwd=worktree, sandbox=Sandbox(mode=mode, network="hosts", hosts=("a.example",)), env={})


def test_without_its_channel_the_program_is_not_started(worktree: Path, bubblewrap: None) -> None:
    words = confined(["true"], cwd=worktree, sandbox=Sandbox(network="hosts", hosts=("a.example",)), env={})
    program = Program(words, cwd=worktree, env={"PATH": os.environ["PATH"]})
    assert program.wait(PATIENCE_SECONDS) not in (0, None) and "joined.py" in program.errors()
    program.end()
