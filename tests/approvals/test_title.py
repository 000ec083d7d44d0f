"""What a request is called."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.requests import resubmit
from approvals.requests.amend import title_of
from tests.approvals.scenes import ADA, asked
from tests.system.contract.cast import account


def content(**more: Any) -> dict[str, Any]:
    return {"stage": "deployment", "description": "", "context": {}, **more}


@pytest.mark.parametrize(
    ("description", "title"),
    [
        ("Deploy 1.2", "Deploy 1.2"),
        ("**Deploy** `web` 2.4 to [production](https://example.com)\nand more", "Deploy web 2.4 to production"),
        ("# Deploy ~~1.1~~ *1.2*", "Deploy 1.1 1.2"),
        ("- Deploy 1.2\n- Restart", "Deploy 1.2"),
        ("![a plan](https://example.com/plan.png)", "a plan"),
        ("<b>Deploy</b> & go", "<b>Deploy</b> & go"),
        ("   \n", "deployment"),
        ("***", "***"),
        ("a" * 5000, "a" * 300),
    ],
)
def test_the_first_line_of_the_description_is_read_without_its_signs(description: str, title: str) -> None:
    assert title_of(content(description=description)) == title


def test_a_title_that_was_given_is_taken_as_it_is() -> None:
    assert title_of(content(title="*Now*", description="Deploy 1.2")) == "*Now*"


@pytest.mark.django_db
def test_it_follows_a_changed_description_and_a_yes_is_bound_to_it() -> None:
    account("bob")
    first, titled = asked(description="Deploy 1.2"), asked(description="Deploy 1.2", title="Release")
    assert first.content_hash != titled.content_hash
    assert resubmit(request_id=first.request_id, actor=ADA, description="Deploy *1.3*").title == "Deploy 1.3"
    assert resubmit(request_id=titled.request_id, actor=ADA, description="Deploy 1.3").title == "Release"
