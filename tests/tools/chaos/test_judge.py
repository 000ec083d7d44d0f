"""What is counted, on made-up records: each figure is seen to rise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tools.chaos.judge import faults_by_kind, judge, percentile
from tools.chaos.records import Call, Hit, Saga
from tools.chaos.table import printed, shown

DONE = Saga(name="s", engine="celery", shape="plain", wanted="completed", status="completed", found=True, ended=True,
            progress=(1.0, 2.0, 3.0))  # fmt: skip
UNDONE = replace(DONE, shape="undo", wanted="rolled_back", status="rolled_back")


def call(name: str, at: float, method: str = "POST", *, worker: str = "celery-1", seconds: float = 0.5) -> Call:
    key = f"s:{name}:{method}"
    return Call(key=key, method=method, path=f"/s/{name}", worker=worker, began=at, ended=at + seconds)


def hit(kind: str, target: str, began: float, ended: float, *concerned: str) -> Hit:
    return Hit(kind=kind, target=target, link="", began=began, ended=ended, concerned=concerned)


FORWARD = [call("a", 1), call("b", 2), call("c", 3)]
BACK = [call("a", 1), call("b", 2), call("b", 4, "DELETE"), call("a", 5, "DELETE")]
MADE = {"/s/a", "/s/b", "/s/c"}


def told(saga: Saga = DONE, calls: Any = FORWARD, hits: Any = (), left: Any = MADE) -> dict[str, Any]:
    figures = judge("celery", [saga], calls, hits, set(left))
    return {
        name: value for name, value in shown(figures).items() if value and name not in ("recovery_seconds", "examples")
    }


def test_what_went_well_is_clean() -> None:
    assert told() == {"started": 1, "ended": 1}
    assert told(UNDONE, BACK, left=()) == {"started": 1, "ended": 1}
    assert judge("celery", [DONE], FORWARD, [], MADE).is_clean()
    assert judge("temporal", [DONE], FORWARD, [], MADE).started == 0


@pytest.mark.parametrize(
    ("changed", "figure"),
    [
        ({"found": False, "ended": False, "status": ""}, "lost"),
        ({"ended": False, "status": "running"}, "stuck"),
        ({"status": "held"}, "ended_otherwise"),
    ],
)
def test_a_run_that_ends_otherwise(changed: dict[str, Any], figure: str) -> None:
    assert told(replace(DONE, **changed))[figure] == 1
    assert not judge("celery", [replace(DONE, **changed)], FORWARD, [], MADE).is_clean()


def test_effects_that_are_missing_or_stand() -> None:
    assert told(left={"/s/a"})["effects_missing"] == 2
    assert told(UNDONE, BACK, left={"/s/a"})["undo_missing"] == 1


def test_an_undo_in_the_wrong_order() -> None:
    wrong = [call("a", 1), call("b", 2), call("a", 4, "DELETE"), call("b", 5, "DELETE")]
    assert told(UNDONE, wrong, left=())["undo_out_of_order"] == 1


@pytest.mark.parametrize("second", [call("a", 1.2, worker="celery-2"), call("a", 9)])
def test_a_call_that_comes_again_is_doubled(second: Call) -> None:
    assert told(calls=[*FORWARD, second])["doubled"] == 1


@pytest.mark.parametrize(
    ("fault", "is_excused"),
    [
        (hit("kill", "celery-1", 1.2, 3.0), True),
        (hit("restart", "celery-1", 1.2, 3.0), True),
        (hit("stall", "celery-1", 1.2, 9.0), True),  # longer than its lease
        (hit("stall", "celery-1", 1.2, 3.0), False),
        (hit("cut", "celery-1", 1.2, 3.0), False),
        (hit("commit", "celery-1", 1.2, 9.0), False),
        (hit("kill", "celery-1", 12.0, 13.0), False),  # after the repeat
        (hit("kill", "celery-1", 0.1, 0.9), False),  # before the first call
        (hit("kill", "temporal-1", 1.2, 3.0), False),
        (hit("kill", "postgres", 1.2, 9.0), False),  # no worker's own fault takes its lease
        (hit("stall", "celery-2", 0.5, 9.0), True),  # it woke up with a call in its hands
    ],
)
def test_a_repeat_is_excused_by_a_fault_on_one_of_its_two_workers(fault: Hit, is_excused: bool) -> None:
    found = told(calls=[*FORWARD, call("a", 10, worker="celery-2")], hits=[fault])
    assert ("doubled" in found, "repeated_after_a_fault" in found) == (not is_excused, is_excused)


def test_recovery_is_from_the_end_of_a_fault_to_the_next_progress() -> None:
    saga = replace(DONE, progress=(1.0, 2.0, 12.0, 14.0))

    def seconds(*hits: Hit) -> list[float]:
        return judge("celery", [saga], [], hits, MADE).recovery

    assert seconds(hit("kill", "postgres", 3.0, 5.0)) == [7.0]
    assert seconds(hit("kill", "postgres", 3.0, 5.0, "s")) == [7.0]
    assert seconds(hit("stall", "celery-1", 5.0, 13.0, "s")) == [0.0], "the other worker took over meanwhile"
    assert seconds(hit("kill", "celery-1", 5.0, 6.0, "s")) == [6.0]
    assert seconds(hit("kill", "temporal", 3.0, 5.0), hit("kill", "temporal-1", 3.0, 5.0)) == []
    assert seconds(hit("kill", "postgres", 13.0, 15.0)) == []


def test_percentiles_are_of_the_nearest_rank() -> None:
    assert [percentile([], 95), percentile([3.0], 95), percentile([1.0, 2.0, 3.0, 4.0], 50)] == [0.0, 3.0, 2.0]
    assert percentile([float(number) for number in range(1, 101)], 95) == 95.0


def test_a_recovery_beyond_the_goal_is_told() -> None:
    late = judge("celery", [replace(DONE, progress=(20.0,))], [], [hit("kill", "valkey", 3.0, 5.0)], MADE)
    assert late.recovery == [15.0] and not late.recovers_in_time() and late.slowest == "any after kill valkey"


def test_the_table_names_the_seed() -> None:
    hits = [hit("kill", "celery-1", 1, 2), hit("kill", "celery-2", 3, 4), hit("cut", "valkey", 5, 6)]
    text = printed(
        {
            "seed": 7, "seconds": 180.0, "faults": faults_by_kind(hits), "lost_commits": 3, "audit_whole": True,
            "left_behind": 0, "clean": True, "recovers_in_time": True,
            "engines": {"celery": shown(judge("celery", [DONE], FORWARD, [], MADE))},
        }
    )  # fmt: skip
    assert "make chaos SEED=7 SECONDS=180" in text and "1 cut valkey, 2 kill celery worker" in text
