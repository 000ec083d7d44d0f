"""The pages of a project in Chromium: wide and narrow, light and dark, whole, for everybody, and live."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.db import connections
from playwright.sync_api import Page, expect
from pytest_django import Settings

from foundation.clock import now
from orchestration.models import Run, RunLine
from orchestration.projects.deployment.local.folder import folders
from orchestration.projects.deployment.local.releases import stop_all
from orchestration.projects.queries import project_view
from orchestration.projects.start import start_project
from tests.approvals.admin.decider import faults_of
from tests.monitoring.admin.test_overview_browser import DESK, PHONE, picture
from tests.orchestration.admin.projects import building, thinking
from tests.orchestration.admin.visitor import Visitor
from tests.orchestration.agents.endpoints.scenes import added
from tests.orchestration.core.project.specs import given
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.contract.cast import account
from tests.system.contract.hosts import memory_host, until
from tests.system.contract.sagas import ADA

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CRITERIA = ["It is a pleasure to use", {"text": "There is a cart", "check": "test -f t1.md"}]


@pytest.fixture
def engine(transactional_db: None, tmp_path: Path, settings: Settings) -> Iterator[str]:
    settings.ZEN_DATA_DIR = tmp_path / "data"
    account("bob")
    with memory_host() as name, thinking():
        yield name


@pytest.fixture
def asgi(page: Page) -> Iterator[Visitor]:
    """The site as it is served to people: streams need an event loop."""
    line = socket.socket()
    line.bind(("127.0.0.1", 0))
    application = ASGIStaticFilesHandler(get_asgi_application())
    server = uvicorn.Server(uvicorn.Config(application, log_level="error", lifespan="off"))
    thread = threading.Thread(target=lambda: server.run(sockets=[line]), daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the site answers")
    yield Visitor(page=page, site=f"http://127.0.0.1:{line.getsockname()[1]}")
    page.goto("about:blank")
    server.should_exit = server.force_exit = True
    thread.join(PATIENCE_SECONDS)
    connections.close_all()


@pytest.fixture
def agents(transactional_db: None, tmp_path: Path, settings: Settings) -> Iterator[str]:
    """An engine whose agents work; what they deploy is ended with the test."""
    settings.ZEN_DATA_DIR = tmp_path / "data"
    settings.ZEN_DATA_DIR.mkdir()
    account("bob")
    added("claude", agent_type="CLAUDE", concurrency=4)
    with memory_host() as name:
        yield name
    for one in folders():
        stop_all(one)


def looked_at(visitor: Visitor, places: dict[str, str]) -> list[str]:
    """What is wrong with these pages for somebody who comes, on a desk and on a phone, in the light and in the dark."""
    page, faults = visitor.page, []
    for name, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for key, place in places.items():
            visitor.open(place)
            wide = page.evaluate("document.documentElement.scrollWidth")
            faults += [f"{key} {name}: {wide} pixels wide"] if wide > size["width"] else []
            for theme in ("light", "dark"):
                page.evaluate(f"document.documentElement.className = '{theme}'")
                picture(page, f"{key}-{name}-{theme}")
            faults += [f"{key} {name}: {fault}" for fault in faults_of(page)]
    return faults


def test_each_state_of_a_project_is_told_and_shuts_nobody_out(visitor: Visitor, agents: str) -> None:
    def begun(key: str, prompt: str = "A cart", config: dict[str, Any] | None = None, **more: Any) -> Run:
        tasks = [{"task_id": "t1", "title": "A cart", "prompt": prompt, "requirements": ["R1"]}]
        spec = given(project_id=key, requirements=["A cart"], tasks=tasks, **more)
        return start_project(spec=spec, actor=ADA, config=config, engine=agents)[0]

    window = {"window_seconds": 0.5, "interval_seconds": 0.1}
    runs = {
        "gate": begun("gate", approval_gates=["Architecture Review"]),
        "question": begun("question", "A cart\nscripted: question"),
        "failed": begun("failed", "A cart\nscripted: lies", checks=["test -s t1.md"]),
        "deployed": begun("deployed", config={"deployment_strategy": "recreate", "deployment": window}),
    }
    for key, run in runs.items():
        if key == "deployed":
            assert until(run).status == "completed"
        else:
            until(run, lambda run: any(one["status"] == "waiting" for one in project_view(run)["gates"]))
    page = visitor.page
    page.route("**/output/**", lambda route: route.fulfill(status=204, body=""))  # this server has no streams
    visitor.log_in("operator")
    places = {f"project-{key}": f"project/{run.pk}/" for key, run in runs.items()}
    places |= {"agents": "agentendpoint/", "attempts": "agentattempt/"}
    assert looked_at(visitor, places) == []
    visitor.open(places["project-deployed"])
    expect(page.locator("#deployment")).to_contain_text("http://127.0.0.1:")
    asked = {
        "gate": "Architecture Review",
        "question": "What an agent asks: t1",
        "failed": "What becomes of a task that failed: t1",
    }
    for key, words in asked.items():
        visitor.open(places[f"project-{key}"])
        expect(page.locator("#gates-open")).to_contain_text(words)
        expect(page.locator("#gates-open")).to_contain_text("waits for bob")


def test_every_page_is_whole_and_shuts_nobody_out(visitor: Visitor, engine: str) -> None:
    run = building(engine, 6, "Shopping cart and checkout process, part", success_criteria=CRITERIA,
                   estimated_duration_hours=40, approval_gates=[{"name": "First look", "before": "t1"}])  # fmt: skip
    visitor.page.route("**/output/**", lambda route: route.fulfill(status=204, body=""))  # this server has no streams
    visitor.log_in("operator")
    places = {"list": "", "page": f"{run.pk}/", "diff": f"{run.pk}/diff/t1/"}
    assert looked_at(visitor, {f"project-{key}": f"project/{place}" for key, place in places.items()}) == []


def test_a_line_appears_while_the_agent_works_and_no_word_of_it_does_anything(asgi: Visitor, engine: str) -> None:
    run, page = building(engine, 2), asgi.page
    build = Run.objects.get(parent=run)
    asgi.log_in("viewer")
    asgi.open(f"project/{run.pk}/")
    lines = page.locator('[data-task="t1"] li')
    expect(lines).to_have_count(8)
    said = "<img src=x onerror='window.taken = 1'> \u202e000"
    for task, n in (("t1", 9), ("t9", 1)):
        RunLine.objects.create(run=build, step_id=task, attempt=2, n=n, at=now(), level=20, logger="agent", text=said)
    expect(lines).to_have_count(9)
    expect(lines.last).to_contain_text("<img src=x onerror='window.taken = 1'> \\u202e000")
    expect(lines.last).to_contain_text("claude#2")
    expect(page.locator('[data-task="t9"] li')).to_have_count(1)
    assert page.evaluate("window.taken") is None
    build.agent_attempts.filter(step_id="t2", attempt=2).update(cost="7.50")
    expect(page.locator("#task-t2")).to_contain_text("8.75")  # by itself, without the page being loaded anew
    expect(lines).to_have_count(9)


def test_a_person_finds_the_gate_from_the_projects_page(visitor: Visitor, engine: str) -> None:
    building(engine, 1)
    spec = given(approval_gates=["Architecture Review"])
    run = start_project(spec=spec, actor=ADA, workflow_id=f"g-{uuid.uuid4().hex[:8]}", engine=engine)[0]
    until(run, lambda _: run.children.filter(kind="approval").exists())
    page = visitor.page
    page.route("**/output/**", lambda route: route.fulfill(status=204, body=""))
    visitor.log_in("approver")
    page.get_by_role("link", name="Projects").click()
    page.get_by_role("row", name=run.workflow_id).get_by_role("link", name="Shop").click()
    page.get_by_role("link", name="Decide about Architecture Review").click()
    expect(page.get_by_role("heading", name="Architecture Review").first).to_be_visible()
