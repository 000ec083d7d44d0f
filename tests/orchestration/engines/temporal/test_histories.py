"""Runs that were in flight before a release go on after it: recorded histories lead to the same decisions."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from orchestration.core.saga import draft, versions
from orchestration.workers.temporal.external_workflow import HumanApprovalWorkflow
from orchestration.workers.temporal.saga_workflow import SagaWorkflow
from tests.orchestration.engines.temporal.scenes import SCENES
from tests.system import histories

FOLDER = Path(histories.__file__).parent
RECORDED = sorted(FOLDER.glob("[0-9]*/*.json"))
KEPT = sorted(FOLDER.glob("kept/*.json"))
"""Of runs that keep their own state: their workflow decides nothing, so it has no versions."""

REMEDY = """
This change of the flow (or of its interpreter) breaks the runs that are in flight when it is installed.
Keep the old way for them: raise LATEST in orchestration/core/saga/versions.py, ask `plan.flow` where the flow differs,
and record the new version's histories with `python -m tests.system.histories` (docs/adr/0008)."""


def replay(path: Path) -> None:
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    asyncio.run(Replayer(workflows=[SagaWorkflow, HumanApprovalWorkflow]).replay_workflow(history))


@pytest.mark.parametrize("path", RECORDED + KEPT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recorded_history_replays(path: Path) -> None:
    try:
        replay(path)
    except NondeterminismError as error:
        pytest.fail(f"{error}{REMEDY}", pytrace=False)


def test_every_version_is_recorded_and_the_latest_in_every_scene() -> None:
    scenes = {
        version: {path.stem.split(".")[0] for path in (FOLDER / str(version)).glob("*.json")}
        for version in range(versions.FIRST, versions.LATEST + 1)
    }
    assert KEPT
    assert all(scenes.values()), f"record them: python -m tests.system.histories; {scenes}"
    assert scenes[versions.LATEST] == {*SCENES, "continued"}
    assert {path.parent.name for path in RECORDED} == {str(version) for version in scenes}


def test_a_history_is_of_the_version_that_its_folder_says() -> None:
    for path in RECORDED:
        first = WorkflowHistory.from_json(path.stem, path.read_text()).events[0]
        given = json.loads(first.workflow_execution_started_event_attributes.input.payloads[0].data)
        flow = json.loads(given["plan"]).get("flow", versions.FIRST)
        assert str(flow) == path.parent.name, path


def backwards(monkeypatch: pytest.MonkeyPatch, *, since: int) -> None:
    """The flow launches ready steps in another order, in plans of this version and later ones."""
    original = draft.Draft.run_forward

    def run_forward(self: draft.Draft, step_id: str) -> None:
        original(self, step_id)
        if self.plan.flow >= since:
            self.commands.reverse()

    monkeypatch.setattr(draft.Draft, "run_forward", run_forward)


def test_a_change_that_would_break_runs_in_flight_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    backwards(monkeypatch, since=versions.FIRST)
    with pytest.raises(NondeterminismError):
        replay(FOLDER / "1" / "completed.0.json")


def test_a_change_under_a_new_version_breaks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    backwards(monkeypatch, since=versions.LATEST + 1)
    for path in RECORDED:
        replay(path)
