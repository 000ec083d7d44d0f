"""The failure matrix says what the flow then does."""

from __future__ import annotations

from orchestration.core.matrix import failure_matrix
from orchestration.core.words import RunStatus
from tests.core.saga_world import make_plan


def test_each_mishap_of_each_step() -> None:
    plan = make_plan(
        {"a": (), "b": ("a",), "p": ("b",), "c": ("p",)},
        a={"has_undo": True}, b={"has_undo": True, "retry_count": 2}, p={"pivot": True},
    )  # fmt: skip
    rows = {(row.step_id, row.mishap): row for row in failure_matrix(plan)}
    assert len(rows) == 12
    assert rows["a", "fails"].status is RunStatus.ROLLED_BACK
    assert rows["a", "fails"].undone == ()
    assert rows["b", "times out"].undone == (("b",), ("a",))
    assert rows["a", "abort after"].undone == (("b",), ("a",))
    assert rows["b", "abort after"].status is RunStatus.HELD, "the pivot was in flight and succeeded"
    assert (rows["p", "fails"].status, rows["p", "fails"].stands) == (RunStatus.ROLLED_BACK, ())
    assert rows["p", "times out"].status is RunStatus.HELD
    assert (rows["c", "fails"].status, rows["c", "fails"].stands) == (RunStatus.HELD, ("a", "b", "p"))
    assert rows["p", "abort after"].refused and rows["p", "abort after"].status is RunStatus.COMPLETED
