"""The last part of the demonstration: agents build a tiny site, one lies and is caught, and it goes to its users.

The agents are a program that does what its prompt says (`orchestration.agents.scripted`); what judges, merges, asks and
deploys is what judges, merges, asks and deploys the work of any other.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from rich.console import Console
from rich.markup import escape

from approvals.models import Request
from orchestration.agents.endpoints.given import Given
from orchestration.agents.endpoints.services import add
from orchestration.agents.workspace.janitor import leftovers
from orchestration.agents.workspace.layout import Layout
from orchestration.console import show
from orchestration.core.enums import RunStatus
from orchestration.models import AgentAttempt, Run
from orchestration.projects.deployment.local.folder import folders
from orchestration.projects.deployment.local.releases import stop_all
from orchestration.projects.deployment.service import stop_deployment
from orchestration.projects.phases.project import output_of
from orchestration.projects.queries import project_view
from orchestration.projects.start import start_project
from orchestration.runs.queries import run_view
from zen_project.demo.people import ME
from zen_project.demo.site import Person, served
from zen_project.embedded.ports import free_port

NAME = "kiosk"
PATIENCE_SECONDS = 60.0
QUICK = {"window_seconds": 0.5, "interval_seconds": 0.1}
PAGE = "Write the page.\n\n```write {path}\n{text}\n```\n"
OLD, NEW = "Open on Mondays", "Open every day"


def tell_of_a_project(console: Console, engine: str) -> bool:
    """Inside the block that hosts the workers; True when everything ended as it should."""
    if find_spec("acp") is None:
        console.print("\nAgents that build a project are not shown: the extra [bold]agents[/bold] is not installed")
        return True
    console.print("\n[bold]Agents build, people decide, users get it[/bold]: a repository of one page")
    try:
        with tempfile.TemporaryDirectory(prefix="zen-demo-kiosk-") as folder:  # the user's, so not in the site's own
            return _told(console, engine, _repository(Path(folder)))
    finally:  # also where it went wrong: what serves the page has no need of this process
        for one in folders():
            stop_all(one)


def _told(console: Console, engine: str, repository: Path) -> bool:
    port = free_port()
    for kind in ("CLAUDE", "CODEX"):
        add(Given(name=f"demo-{kind.lower()}", agent_type=kind, driver="scripted", concurrency=2), actor=ME)
    first = _start(engine, repository, port, "kiosk-1", [_task("page", "CLAUDE", "index.html", OLD)])
    _until(console, first, lambda: _ended(first))
    _merged(repository)
    with served() as api, _asked_all_the_time(port) as answers:
        bob = Person("bob", api)
        console.print(f"  before    port {port} says: {_answer(port)}")
        tasks = [
            _task("page", "CLAUDE", "index.html", NEW),
            _task("prices", "CODEX", "prices.html", "Tea: 2", behaviour="scripted: lies, write\n"),
        ]
        gate = {"name": "Opening", "before": "deploy", "approvers": ["bob"]}
        second = _start(engine, repository, port, "kiosk-2", tasks, gates=[gate])
        _until(console, second, lambda: _ended(second) or _asks(second))
        if _ended(second):
            raise SystemExit(f"{second} ended before it asked: {run_view(second)['error']}")
        after = bob.says("approve", _gate(second).request_id, "nice prices")
        console.print(f"  gate      Opening: bob approves → {show.coloured(after['status'])}")
        _until(console, second, lambda: _ended(second))
        told = f"{len(answers)} visits, each answered {', '.join(map(str, sorted(set(answers))))}"
        console.print(f"  after     port {port} says: {_answer(port)} ({told})")
    return _as_it_should_be(console, port, answers, first, second)


def _repository(folder: Path) -> Path:
    """The user's own, with a page of one line."""
    (folder / "index.html").write_text("Soon\n", encoding="utf-8")
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", "Begin")
    return folder


def _merged(repository: Path) -> None:
    """The user takes over what was built, as of any other branch."""
    _git(repository, "merge", "-q", "--ff-only", f"zen/{NAME}")
    _git(repository, "branch", "-q", "-d", f"zen/{NAME}")


def _git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=demo", "-c", "user.email=demo@localhost")
    subprocess.run(["git", *who, *words], cwd=folder, check=True)


def _task(task_id: str, agent: str, path: str, text: str, *, behaviour: str = "") -> dict[str, Any]:
    return {
        "task_id": task_id, "title": path, "prompt": PAGE.format(path=path, text=text) + behaviour, "agent_type": agent,
        "requirements": ["R1"], "files": [path], "checks": [f"grep -q '{text}' {path}"],
    }  # fmt: skip


def _start(
    engine: str, repository: Path, port: int, handle: str, tasks: list[dict[str, Any]], gates: list[Any] | None = None
) -> Run:
    spec = {
        "project_id": NAME, "name": "Kiosk", "requirements": ["Visitors see when it is open"],
        "success_criteria": [{"text": "The hours are told", "check": "grep -q Open index.html"}],
        "agents_required": ["CLAUDE", "CODEX"], "approval_gates": gates or [], "repository": str(repository),
        "tasks": tasks,
    }  # fmt: skip
    config = {"deployment_strategy": "blue_green", "deployment": {**QUICK, "name": NAME, "port": port}}
    return start_project(spec=spec, config=config, actor=ME, workflow_id=handle, engine=engine)[0]


def _until(console: Console, run: Run, done: Any) -> None:
    """Tell of each session of an agent that has ended, until it is so far."""
    told = set(_sessions(run).exclude(verdict="").values_list("pk", flat=True)) if _sessions(run).exists() else set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"{run} was not so far within {PATIENCE_SECONDS:g} s; see {settings.ZEN_DATA_DIR}")
        _tell(console, run, told)
        time.sleep(0.05)
    _tell(console, run, told)


def _tell(console: Console, run: Run, told: set[int]) -> None:
    for one in _sessions(run).exclude(verdict="").exclude(pk__in=told):
        told.add(one.pk)
        why = f": it said “{one.text.strip()}”, but {'; '.join(one.facts)}" if one.verdict == "lied" else ""
        name = "[green]done[/green]" if one.verdict == "done" else f"[red]{one.verdict}[/red]"
        console.print(f"  {run.workflow_id:<9} {one.step_id:<7} {one.endpoint_name} {name}{escape(why)}")


def _sessions(run: Run) -> Any:
    return AgentAttempt.objects.filter(run__workflow_id__startswith=f"{run.workflow_id}.").order_by("pk")


def _ended(run: Run) -> bool:
    run.refresh_from_db()
    return RunStatus(run.status).is_end


def _asks(run: Run) -> bool:
    return Request.objects.filter(about=run.workflow_id, status="pending").exists()


def _gate(run: Run) -> Request:
    return Request.objects.get(about=run.workflow_id, status="pending")


def _opened(port: int) -> Any:
    return urllib.request.urlopen(f"http://127.0.0.1:{port}/index.html", timeout=5)


def _answer(port: int) -> str:
    """What a visitor reads."""
    with _opened(port) as answer:
        return str(answer.read().decode()).strip()


@contextmanager
def _asked_all_the_time(port: int) -> Iterator[list[int]]:
    """What a visitor is answered who comes again and again: statuses; 0 for no answer."""
    answers: list[int] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.05):
            answers.append(_status(port))

    thread = threading.Thread(target=ask, daemon=True, name="demo-visitor")
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


def _status(port: int) -> int:
    try:
        with _opened(port) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _as_it_should_be(console: Console, port: int, answers: list[int], *runs: Run) -> bool:
    page = _answer(port)
    stop_deployment(NAME, actor=ME)
    for run in runs:
        left = leftovers(Layout.of(run.workflow_id))
        report = output_of(run, "report")["janitor"]
        console.print(f"  janitor   {run.workflow_id} left behind: {'nothing' if left.is_empty else left.to_json()}")
        if not (left.is_empty and report["clean"]):
            return False
    verdicts = {name: [one.verdict for one in _sessions(runs[-1]).filter(step_id=name)] for name in ("page", "prices")}
    criteria = {one["status"] for one in project_view(runs[-1])["criteria"]}
    return (
        [run.status for run in runs] == ["completed", "completed"]
        and verdicts == {"page": ["done"], "prices": ["lied", "done"]}
        and (page, criteria, set(answers)) == (NEW, {"proved"}, {200})
        and _status(port) == 0
    )
