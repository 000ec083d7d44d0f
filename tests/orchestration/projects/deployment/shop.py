"""A project's repository with an app, its deployments, and clients that ask all the time."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestration.core.deployment import DeploymentSpec, compile_deployment, validate_deployment
from orchestration.models import Run
from orchestration.projects.deployment.local import processes
from orchestration.projects.deployment.local.folder import Record, folder_of, read
from orchestration.runs import start_run
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.sagas import ADA

APP = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

told = json.loads(Path("told.json").read_text())
asked = served = 0

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global asked, served
        is_health = self.path == "/health"
        asked += is_health
        sick = told.get("sick_after") is not None and is_health and asked > told["sick_after"]
        served += not is_health
        sick = sick or is_health and Path("sick").exists()
        sick = sick or is_health and served > told.get("sick_once_served", served)
        if self.path.startswith("/slow"):
            time.sleep(float(self.path.rpartition("=")[2]))
        broken = self.path == "/broken" and told.get("breaks")
        body = json.dumps({"version": told["version"], "path": self.path}).encode()
        self.send_response(500 if sick or broken else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *args):
        print(*args, flush=True)

class Server(ThreadingHTTPServer):
    request_queue_size = 128

time.sleep(told.get("naps", 0))
if told.get("dies"):
    print("no database", flush=True)
    sys.exit(7)
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
COMMAND = "python app.py {port}"
QUICK: dict[str, Any] = {
    "command": COMMAND, "health": "/health", "window_seconds": 0.6, "interval_seconds": 0.1, "drain_seconds": 20,
    "start_seconds": 60, "answer_seconds": 60,
}  # fmt: skip


class Shop:
    """The project `shop`. `engine`: where its deployments run."""

    def __init__(self, data: Path, engine: str) -> None:
        self.engine, self.name, self.number = engine, "shop", 0
        self.repository = data / "projects" / "shop" / "repository.git"
        self.mark = uuid.uuid4().hex[:8]  # the servers that tests share remember names
        self.work = data / "work"
        self.work.mkdir()
        self.git("init", "--quiet", str(self.work), cwd=data)
        (self.work / "app.py").write_text(APP)

    def git(self, *words: str, cwd: Path | None = None) -> str:
        env = {
            **os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com",
            "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com",
        }  # fmt: skip
        return subprocess.run(
            ["git", *words], cwd=cwd or self.work, env=env, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, version: str, files: dict[str, str] | None = None, **told: Any) -> str:
        """A merged head whose app is `version`; its id."""
        (self.work / "told.json").write_text(json.dumps({"version": version, **told}))
        for name, text in (files or {}).items():
            (self.work / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", version)
        if not self.repository.exists():
            self.git("init", "--quiet", "--bare", str(self.repository))
        self.git("push", "--quiet", "--force", str(self.repository), "HEAD:refs/heads/main")
        return self.git("rev-parse", "HEAD")

    def deploy(self, commit: str, strategy: str = "blue_green", **config: Any) -> Run:
        """A deployment on its way."""
        given = QUICK | config
        spec = DeploymentSpec(
            name=self.name,
            strategy=strategy,
            config=validate_deployment({key: value for key, value in given.items() if value is not None}, strategy),
            commit=commit,
            repository=str(self.repository),
        )
        definition = compile_deployment(spec)
        assert definition is not None
        self.number += 1
        run, _ = start_run(
            definition=definition.model_dump(mode="json", exclude_unset=True),
            actor=ADA,
            engine=self.engine,
            workflow_id=f"shop.{self.mark}.{self.number}",
            compiled=True,
        )
        return run

    def is_at(self, run: Run, step: str, purpose: str = "forward") -> bool:
        """Whether a worker performs this step."""
        return run.commands.filter(step_id=step, purpose=purpose, status="running").exists()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing changes meanwhile: whoever wants to waits for the record's lock."""
        lock = os.open(folder_of(self.name).path / "lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(lock)

    @property
    def record(self) -> Record:
        return read(folder_of(self.name))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.record.port}"

    def version(self) -> str:
        """Which version serves users; '' for none."""
        try:
            with urllib.request.urlopen(f"{self.url}/", timeout=PATIENCE_SECONDS) as answer:
                return str(json.load(answer)["version"])
        except (OSError, ValueError):
            return ""

    def processes(self) -> list[int]:
        return processes.marked(f"{folder_of(self.name).path}/")


PACE_SECONDS = 0.05
"""Between two requests of a client: four of them leave the processors to what they ask."""


class Client(threading.Thread):
    """Asks all the time; `answers` by version, `faults` for what was lost."""

    def __init__(self, url: str, *, fresh: bool = True, path: str = "/") -> None:
        super().__init__(daemon=True)
        self.url, self.path, self.fresh = url, path, fresh
        self.stop, self.answers = threading.Event(), Counter[str]()
        self.faults: list[str] = []

    def run(self) -> None:
        import http.client

        host = self.url.removeprefix("http://")
        line = http.client.HTTPConnection(host, timeout=PATIENCE_SECONDS)
        while not self.stop.is_set():
            try:
                line.request("GET", self.path)
                answer = line.getresponse()
                body = answer.read()
                self.answers[json.loads(body).get("version", f"status {answer.status}")] += 1
                if answer.status != 200:
                    self.faults.append(f"{answer.status} {body!r}")
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.faults.append(f"{type(error).__name__}: {error}")
                line.close()
                time.sleep(0.02)
            if self.fresh:
                line.close()
            time.sleep(PACE_SECONDS)
        line.close()


@contextmanager
def asking(url: str, path: str = "/") -> Iterator[list[Client]]:
    """Clients, some with one connection for all requests, some with a new one for each."""
    clients = [Client(url, fresh=fresh, path=path) for fresh in (True, True, False, False)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.stop.set()
        for client in clients:
            client.join(PATIENCE_SECONDS)


def faults(clients: list[Client]) -> list[str]:
    return [fault for client in clients for fault in client.faults]


def answered(clients: list[Client]) -> Counter[str]:
    return sum((client.answers for client in clients), Counter[str]())
