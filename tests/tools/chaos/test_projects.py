"""The plan of faults on projects is a function of the seed; the judge finds what is wrong."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from foundation.clock import now
from orchestration.agents.endpoints import lease
from orchestration.agents.workspace.layout import Layout
from orchestration.agents.workspace.merge import merge
from orchestration.agents.workspace.repository import Repository
from orchestration.core.agent.agent_type import AgentType
from orchestration.core.enums import RunStatus
from orchestration.core.project import compile_project
from orchestration.models import Run
from orchestration.projects.start import start_project
from tests.orchestration.agents.endpoints.scenes import ADMIN, added, attempt
from tests.orchestration.agents.workspace.work import task
from tests.support.examples import examples
from tools.chaos.plan import ENGINES, SIBLING_SECONDS, WORKERS, engine_of
from tools.chaos.projects.judge import problems
from tools.chaos.projects.plan import plan
from tools.chaos.projects.shapes import SHAPES, spec_of

STARTED = {"shop": ("celery", "plain"), "gone": ("celery", "plain")}


@examples(50)
@given(st.integers(0, 10**6), st.floats(30, 600), st.booleans())
def test_the_same_seed_is_the_same_plan_and_leaves_one_worker_of_an_engine_alone(
    seed: int, seconds: float, disk: bool
) -> None:
    faults = plan(seed, seconds, ENGINES, disk=disk)
    assert faults == plan(seed, seconds, ENGINES, disk=disk)
    assert disk or not any(one.target == "disk" for one in faults)
    for engine in ENGINES:
        hits = [one for one in faults if one.target in WORKERS and engine_of(one.target) == engine]
        for one, following in pairwise(hits):
            alone = following.at - one.at - one.seconds
            assert one.target == following.target or alone >= SIBLING_SECONDS - 0.2


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_a_project(shape: str) -> None:
    compile_project(*spec_of(shape, f"p-{shape}", Random(1)))


@pytest.mark.django_db(transaction=True)
def test_the_judge_tells_what_is_lost_left_doubled_and_held(settings: Settings, tmp_path: Path) -> None:
    settings.ZEN_DATA_DIR = tmp_path
    added("one", agent_type="CLAUDE")
    spec, config = spec_of("plain", "shop", Random(1))
    run, _ = start_project(spec=spec, config=config, actor=ADMIN, engine="celery")
    assert [one.partition(":")[0] for one in problems(STARTED)] == ["shop (running)", "gone"]

    repository = Repository.create(Layout.of("shop"))
    merge(repository, task(repository, "t1", {"a": "a"}))
    (repository.layout.repository / "packed-refs.lock").touch()
    lease.take(AgentType.CLAUDE, attempt(run))
    told = _told(run, status=RunStatus.COMPLETED)
    assert "git {'t1': 1}" in told and "packed-refs.lock" in told and "zen/shop/t1" in told and "lease" in told
    assert "these tasks are merged: {'t1': 1}" in _told(run, status=RunStatus.ROLLED_BACK)


def _told(run: Run, **how: Any) -> str:
    Run.objects.filter(pk=run.pk).update(finished_at=now(), **how)
    return "\n".join(problems({"shop": ("celery", "plain")}))
