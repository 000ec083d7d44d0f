"""A project of many tasks at work, and the site beside it, each in processes of their own as on one small machine.

Prints one JSON object: seconds of a page or an answer of the REST API while the agents work (`p50`, `p95`, `longest`,
and `slowest`, the address of that one), how many were asked for, how many agents worked at once, and how long it took.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

AGENTS = 8
PAUSE_SECONDS = 0.1
"""Of a person between two pages."""
ALWAYS = ("/admin/monitoring/", "/admin/orchestration/run/", "/api/v1/projects/", "/api/v1/runs/", "/api/v1/agents/")
OF_A_PROJECT = ("", "plan/", "tasks/", "requirements/", "evidence/", "costs/")


def begun(tasks: int) -> Any:
    """A project of so many tasks, and an endpoint with room for all agents at once."""
    from orchestration.agents.endpoints.given import Given
    from orchestration.agents.endpoints.services import add
    from orchestration.projects.start import start_project
    from zen_project.demo.people import ME

    env = {"ZEN_SCRIPTED_SECONDS": "3"}
    args = ("--behaviour", "works_slowly")
    add(Given(name="bench", agent_type="CLAUDE", driver="scripted", args=args, concurrency=AGENTS, env=env), actor=ME)
    spec = {
        "project_id": "bench", "name": "Bench", "agents_required": ["CLAUDE"],
        "requirements": [f"Thing number {number}" for number in range(1, tasks + 1)], "checks": ["test -d ."],
    }  # fmt: skip
    return start_project(spec=spec, config={"max_parallel_agents": AGENTS}, actor=ME, engine="celery")[0]


def credentials() -> tuple[str, str]:
    """A token, and the cookie of a session of an administrator."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    from foundation.models import ApiToken

    user = get_user_model().objects.create_superuser("bench", "bench@example.com", "only-here")
    client = Client()
    client.force_login(user)
    return ApiToken.issue(user, name="bench")[1], client.cookies["sessionid"].value


def addresses(run: Any) -> list[str]:
    """Of what people look at; the page of the project where the site has one."""
    from django.urls import Resolver404, resolve

    pages = ["/admin/orchestration/project/", f"/admin/orchestration/project/{run.pk}/"]
    found = [*ALWAYS, f"/admin/orchestration/run/{run.pk}/change/", *pages]
    found += [f"/api/v1/projects/{run.workflow_id}/{part}" for part in OF_A_PROJECT]
    for page in pages:
        try:
            if "catch_all" in resolve(page).func.__name__:
                found.remove(page)
        except Resolver404:
            found.remove(page)
    return found


def ask(site: str, token: str, cookie: str, paths: list[str]) -> None:
    """A process of its own: asks for each in turn until its input ends, then prints {path: [seconds]}."""
    over = threading.Event()
    threading.Thread(target=_await_the_end_of_input, args=(over,), daemon=True).start()
    took: dict[str, list[float]] = defaultdict(list)
    headers = {"Authorization": f"Bearer {token}"}, {"Cookie": f"sessionid={cookie}"}
    while not over.is_set():
        for path in paths:
            asked = urllib.request.Request(site + path, headers=headers[path.startswith("/admin")])
            began = time.perf_counter()
            with urllib.request.urlopen(asked, timeout=60) as answer:
                answer.read()
                if "/login/" in answer.url:
                    raise SystemExit(f"{path} wants a sign-in")
            took[path].append(time.perf_counter() - began)
            over.wait(PAUSE_SECONDS)
    print(json.dumps(took), flush=True)


def _await_the_end_of_input(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


def measured(tasks: int) -> dict[str, Any]:
    """Worker, site and who asks are three processes; all of it on this machine."""
    from orchestration.core.queues import AGENTS as QUEUE
    from orchestration.core.queues import DEFAULT
    from orchestration.models import AgentLease, Run
    from orchestration.workers.celery.in_process import hosted
    from zen_project.embedded.ports import free_port

    run, port = begun(tasks), free_port()
    site = f"http://127.0.0.1:{port}"
    token, cookie = credentials()
    command = ["-m", "uvicorn", "zen_project.asgi:application", "--port", str(port), "--log-level", "warning"]
    web = subprocess.Popen([sys.executable, *command])
    try:
        _until_it_answers(site)
        words = [sys.executable, "-m", "benchmarks.projects_side", "ask", site, token, cookie, *addresses(run)]
        with hosted(queues={DEFAULT: 4, QUEUE: AGENTS}):
            began, most = time.perf_counter(), 0
            while not AgentLease.objects.exists():
                time.sleep(0.05)
            asker = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            while Run.objects.filter(pk=run.pk, finished_at=None).exists():
                most = max(most, AgentLease.objects.count())
                time.sleep(0.2)
            seconds = time.perf_counter() - began
            said, _ = asker.communicate()
    finally:
        web.kill()
        web.wait()
    run.refresh_from_db()
    if run.status != "completed":
        raise SystemExit(f"the project ended {run.status}")
    return _figures(json.loads(said)) | {"agents": most, "seconds": round(seconds, 1)}


def _until_it_answers(site: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{site}/livez", timeout=10):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the site did not come up")


def _figures(took: dict[str, list[float]]) -> dict[str, Any]:
    every = sorted(seconds for found in took.values() for seconds in found)
    slowest = max(took, key=lambda path: max(took[path]))
    return {
        "p50": statistics.median(every), "p95": every[int(len(every) * 0.95)], "longest": every[-1],
        "slowest": slowest, "asked": len(every),
    }  # fmt: skip


def main(what: str, *words: str) -> None:
    if what == "ask":
        site, token, cookie, *paths = words
        ask(site, token, cookie, paths)
        return
    Path(os.environ["ZEN_DATA_DIR"]).mkdir(parents=True, exist_ok=True)
    os.environ["DJANGO_SETTINGS_MODULE"] = "zen_project.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    print(json.dumps(measured(int(what))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
