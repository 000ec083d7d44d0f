"""A person at the admin, in a real browser."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.contrib.auth.models import Group, User
from playwright.sync_api import Page, expect

from orchestration.models import Run

PASSWORD = "correct horse battery"


def person(role: str) -> User:
    """A user in one role, or in none; staff, as everybody who may open the admin is."""
    user = User.objects.create_user(role or "nobody", password=PASSWORD, is_staff=True)
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    page: Page
    site: str

    def log_in(self, role: str) -> None:
        user = person(role)
        self.page.goto(f"{self.site}/admin/")
        self.page.get_by_label("Username").fill(user.username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page).to_have_url(re.compile(rf"{re.escape(self.site)}/admin/(monitoring/)?$"))

    def open(self, place: str) -> None:
        answer = self.page.goto(f"{self.site}/admin/orchestration/{place}")
        assert answer is not None and answer.status == 200, f"{place}: {answer and answer.status}"

    def open_run(self, run: Run) -> None:
        self.open(f"run/{run.pk}/change/")
