"""Chromium for the browser tests: the system's own, since Playwright's would be a download."""

from zen_project.embedded.find import Found, find

COMMANDS = ("chromium", "chromium-browser", "google-chrome")
REMEDY = "install Chromium (Debian: apt-get install chromium)"


def available() -> Found:
    return find("chromium", variable="ZEN_TEST_CHROMIUM", commands=COMMANDS, wheel=None, remedy=REMEDY)
