"""What is refused when it is asked: who asks hears of it at once, and nothing is stored."""

from __future__ import annotations

from typing import Any

import pytest

from approvals.models import Request
from approvals.services import resubmit
from orchestration.errors import BadInput
from tests.approvals.scenes import ADA, asked


def refused(**given: Any) -> BadInput:
    with pytest.raises(BadInput) as found:
        asked(**given)
    assert not Request.objects.exists()
    return found.value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("description", "Use {secret:TOKEN}?"),
        ("title", "{secret:TOKEN}"),
        ("context", {"deep": [{"key": "a {secret:TOKEN} b"}]}),
    ],
)
def test_a_secret_is_not_shown_to_people(field: str, value: Any) -> None:
    error = refused(approvers=("bob",), **{field: value})
    assert error.field == field and "{secret:TOKEN}" in error.message and "leave" in error.remedy


def test_nor_is_it_added_later() -> None:
    request = asked(approvers=("bob",), action={"headers": {"key": "{secret:TOKEN}"}})
    with pytest.raises(BadInput, match="secret reference"):
        resubmit(request_id=request.request_id, actor=ADA, context={"key": "{secret:TOKEN}"})
