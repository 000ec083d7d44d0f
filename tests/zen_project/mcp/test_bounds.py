"""An answer weighs 1 MiB at most: pages are cut, with a cursor that leads on, and what is large is left out by name."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest

from foundation.errors import BadInput
from tests.support.mcp_clients import in_process, talk
from tests.support.waiting import PATIENCE_SECONDS
from zen_project.mcp import bounds, calls
from zen_project.mcp.bounds import MOST_ANSWER, bounded, fitting, weight
from zen_project.mcp.registry import Entry
from zen_project.mcp.tools.fields import Nothing

ROWS = [{"id": number, "data": {"text": "x" * 10_000}} for number in range(200)]


def pages(limit: int, *, after: int) -> dict[str, Any]:
    rows = ROWS[after : after + limit]
    return {"results": rows, "next_cursor": str(after + limit) if after + limit < len(ROWS) else None}


def test_a_page_has_as_many_rows_as_fit_and_its_cursor_leads_to_the_next() -> None:
    seen: list[int] = []
    cursor: str | None = "0"
    while cursor is not None:
        found = fitting(partial(pages, after=int(cursor)), 200)
        assert weight(found) <= MOST_ANSWER and found["results"]
        seen += [row["id"] for row in found["results"]]
        cursor = found["next_cursor"]
    assert seen == list(range(200))


def test_the_largest_fields_of_an_answer_are_emptied_first_and_named() -> None:
    steps = [{"step_id": "a", "output": "x" * 900_000}, {"step_id": "b", "output": {"kept": True}}]
    found = bounded({"workflow_id": "o-1", "steps": steps, "context": {"text": "y" * 10}})
    assert found["left_out"] == ["steps[0].output"] and weight(found) <= MOST_ANSWER
    assert found["steps"][1]["output"] == {"kept": True} and found["context"] == {"text": "y" * 10}
    assert found["steps"][0]["output"] == ""


def test_what_is_too_large_even_so_is_refused() -> None:
    with pytest.raises(BadInput, match="the answer has more than 1048576 bytes"):
        bounded({"title": "x" * MOST_ANSWER})


@pytest.mark.django_db(transaction=True)
def test_a_call_that_takes_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def never(caller: Any, given: Any) -> dict[str, Any]:
        go_on.wait(PATIENCE_SECONDS)
        return {}

    entry = Entry(name="never", title="Never", arguments=Nothing, answers={"type": "object"}, do=never)
    monkeypatch.setattr("zen_project.mcp.server.ENTRIES", (entry,))
    monkeypatch.setattr(calls, "SECONDS", 0.2)
    try:
        found = talk(in_process(), lambda client: client.call_tool("never", {}))
    finally:
        go_on.set()
    assert found.is_error and "never was not done within 0.2 s" in found.content[0].text  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_arguments_over_stdio_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "MOST_REQUEST", 1000)
    found = talk(in_process(), lambda client: client.call_tool("get_run", {"workflow_id": "x" * 1000}))
    assert found.is_error and "the arguments have more than 1000 bytes" in found.content[0].text  # type: ignore[union-attr]
    assert bounds.MOST_REQUEST == 4 * 1024**2
