from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.orchestration.admin.visitor import Visitor
from tests.support.servers import chromium
from tests.support.servers.fixtures import need
from tests.support.waiting import PATIENCE_SECONDS
from tests.system.contract.hosts import celery_host

WIDE = {"width": 1440, "height": 900}


@pytest.fixture
def engine(transactional_db: None) -> Iterator[str]:
    with celery_host() as name:
        yield name


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Closed with each test: Playwright keeps an event loop in this thread, which others must not meet."""
    need(chromium.available)
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # that loop is not one our queries could block
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium.available().path, args=arguments, timeout=PATIENCE_SECONDS * 1000
        )
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must never meet an error in its scripts, break the policy, nor ask another host for anything."""
    context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.extend(_forbidden(message.text)))
    page.on("request", lambda request: faults.extend(_elsewhere(request.url)))
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    yield page
    context.close()
    assert faults == []


def _forbidden(text: str) -> list[str]:
    return [text] if "Content Security Policy" in text else []


def _elsewhere(url: str) -> list[str]:
    return [] if url.startswith(("http://localhost:", "http://127.0.0.1:", "data:")) else [f"asks {url}"]


@pytest.fixture
def visitor(page: Page, live_server: LiveServer) -> Visitor:
    return Visitor(page=page, site=live_server.url)
