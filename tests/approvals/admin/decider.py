"""Somebody who decides, in a real browser."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from approvals.models import Request
from tests.orchestration.admin.visitor import Visitor

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
GRAVE = ("serious", "critical")
QUICK = {"resultTypes": ["violations"], "iframes": False, "preload": False}


def open_inbox(visitor: Visitor, query: str = "") -> Page:
    visitor.page.goto(f"{visitor.site}/admin/approvals/request/inbox/{query}")
    return visitor.page


def ask(visitor: Visitor, request: Request) -> Page:
    visitor.page.goto(f"{visitor.site}/admin/approvals/request/{request.pk}/change/")
    return visitor.page


def choose(page: Page, word: str) -> None:
    page.locator("label.choice", has_text=word).click()


def send(page: Page) -> None:
    page.get_by_role("button", name="Send:").click()


def faults_of(page: Page) -> list[str]:
    """What axe-core finds serious or critical, in the light and in the dark."""
    found = []
    for name in ("light", "dark"):
        page.emulate_media(color_scheme=name)
        page.evaluate(f"document.documentElement.className = '{name}'")  # as the theme does when it is loaded
        violations = Axe().run(page, options=QUICK).response["violations"]
        grave = [one for one in violations if one["impact"] in GRAVE]
        found += [f"{name}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in grave]
    return found


def is_narrow(page: Page) -> bool:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width <= PHONE["width"]


def status_is(request: Request, status: str) -> None:
    request.refresh_from_db()
    assert request.status == status


def shows(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()
