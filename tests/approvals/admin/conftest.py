from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.orchestration.admin.conftest import engine, page, visitor
from tests.support.servers import chromium
from tests.support.servers.fixtures import need

__all__ = ["engine", "page", "visitor"]

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Closed with each test: Playwright keeps an event loop in this thread, which others must not meet."""
    need(chromium.available)
    with sync_playwright() as playwright:
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # that loop is not one our queries could block
        running = playwright.chromium.launch(executable_path=chromium.available().path, args=FLAGS)
        yield running
        running.close()
