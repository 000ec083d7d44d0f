"""A person sees the overview in Chromium: wide and narrow, light and dark, with and without scripts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from monitoring.models import Alert
from tests.approvals.admin.decider import faults_of
from tests.monitoring.admin.test_overview import PAGE, blocked, client_of, measured
from tests.orchestration.admin.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def picture(page: Page, name: str) -> None:
    """For people, where ZEN_TEST_PICTURES names a folder."""
    folder = os.environ.get("ZEN_TEST_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_it_is_the_first_page_whole_on_each_screen_and_shuts_nobody_out(
    visitor: Visitor, transactional_db: None
) -> None:
    handle, page = blocked(), visitor.page
    measured(60)
    visitor.log_in("operator")
    expect(page).to_have_url(f"{visitor.site}{PAGE}")
    for name, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(f"{visitor.site}{PAGE}")
        expect(page.locator(".course canvas")).to_have_count(4)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], name
        for theme in ("light", "dark"):
            page.evaluate(f"document.documentElement.className = '{theme}'")
            page.wait_for_function("document.querySelectorAll('.course canvas').length === 4")
            picture(page, f"overview-{name}-{theme}")
        assert faults_of(page) == [], name
    expect(page.get_by_text("1 run does not go on without somebody")).to_be_visible()
    page.get_by_role("link", name=f"retry ship of {handle}").click()
    expect(page.get_by_role("button", name="retry ship")).to_be_visible()


INKED = """canvas => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const line = document.createElement("canvas").getContext("2d");
  line.fillStyle = getComputedStyle(canvas.closest(".course")).getPropertyValue("--line-0").trim();
  line.fillRect(0, 0, 1, 1);
  const [red, green, blue] = line.getImageData(0, 0, 1, 1).data;
  let found = 0;
  for (let at = 0; at < pixels.length; at += 4)
    if (pixels[at] === red && pixels[at + 1] === green && pixels[at + 2] === blue && pixels[at + 3] === 255) found++;
  return found;
}"""


def test_a_line_of_one_point_is_seen(visitor: Visitor, transactional_db: None) -> None:
    measured(1)
    visitor.log_in("operator")
    drawn = visitor.page.locator(".course canvas")
    expect(drawn).to_have_count(4)
    picture(visitor.page, "overview-one-point")
    assert all(inked >= 8 for inked in drawn.evaluate_all(f"all => all.map({INKED})"))


def test_it_follows_what_happens_while_it_is_seen(visitor: Visitor, transactional_db: None) -> None:
    page = visitor.page
    visitor.log_in("operator")
    page.evaluate("window.loadedOnce = true")
    page.locator("#table-ended summary").click()
    handle = blocked()
    expect(page.get_by_role("link", name=handle, exact=True)).to_be_visible()
    assert page.evaluate("window.loadedOnce"), "without another page load"
    expect(page.locator("#table-ended")).to_have_attribute("open", "")
    page.get_by_role("link", name="Acknowledge alert").click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Acknowledge: done.")).to_be_visible()
    assert Alert.objects.get(rule__name="run_blocked").acked_by == "operator"


def test_without_scripts_its_tables_say_the_same(
    browser: Browser, live_server: LiveServer, transactional_db: None
) -> None:
    measured(3)
    client = client_of("viewer")
    context = browser.new_context(java_script_enabled=False, viewport=DESK)  # type: ignore[arg-type]
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}{PAGE}")
    picture(page, "overview-without-scripts")
    page.locator("#table-ended summary").click()
    expect(page.locator("#table-ended tbody tr", has_text="9").last).to_contain_text("1")
    expect(page.get_by_text("27 completed, 3 ended otherwise")).to_be_visible()
    context.close()
