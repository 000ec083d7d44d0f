"""Runs that were in flight before a release go on after it: recorded histories lead to the same decisions."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from orchestration.core import draft
from orchestration.engines.temporal.workflow import SagaWorkflow
from tests import histories
from tests.orchestration.engines.temporal.scenes import SCENES

RECORDED = sorted(Path(histories.__file__).parent.glob("*.json"))


def replay(path: Path) -> None:
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    asyncio.run(Replayer(workflows=[SagaWorkflow]).replay_workflow(history))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_history_replays(path: Path) -> None:
    replay(path)


def test_every_scene_is_recorded() -> None:
    assert {path.stem.split(".")[0] for path in RECORDED} == {*SCENES, "continued"}


def test_a_change_that_would_break_runs_in_flight_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def backwards(self: draft.Draft, step_id: str) -> None:
        original(self, step_id)
        self.commands.reverse()

    original = draft.Draft.run_forward
    monkeypatch.setattr(draft.Draft, "run_forward", backwards)
    (path,) = (path for path in RECORDED if path.stem == "completed.0")
    with pytest.raises(Exception, match=r"(?i)nondeterminism"):
        replay(path)
