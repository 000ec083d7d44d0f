"""What handlers log and scripts print is in the run's rows on every engine, the way forward and back."""

from __future__ import annotations

from pytest_django import Settings

from orchestration.models import RunLine
from tests.support.peer import Peer
from tests.support.waiting import wait_until
from tests.system.contract import handlers
from tests.system.contract.hosts import until
from tests.system.contract.sagas import start, step


def test_lines_of_handlers_and_scripts_are_kept_on_the_way_forward_and_back(
    engine: str, peer: Peer, settings: Settings
) -> None:
    settings.ZEN_TASKS, settings.ZEN_SCRIPTS = handlers.TASKS, "unsafe"
    talking = {"type": "task", "handler": "talking"}
    script = {"type": "script", "script": "echo printed; exit 1"}
    steps = (
        step("a", forward_action=talking, compensation_action=talking),
        step("b", ["a"], undo=False, forward_action=script, retry_count=0),
    )
    run = until(start(peer, engine, *steps))
    assert run.status == "rolled_back"
    expected = [
        ("a", "forward", "makes a"), ("a", "forward", "nearly there"), ("a", "undo", "makes a"),
        ("a", "undo", "nearly there"), ("b", "forward", "printed"),
    ]  # fmt: skip

    def lines() -> list[tuple[str, str, str]]:
        order = ("step_id", "purpose", "attempt", "n")
        return list(RunLine.objects.filter(run=run).order_by(*order).values_list("step_id", "purpose", "text"))

    wait_until(lambda: lines() == expected, lambda: str(lines()))
