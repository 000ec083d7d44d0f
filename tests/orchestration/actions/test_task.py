"""Which tasks a saga may name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from celery import current_app, shared_task
from django.db import OperationalError
from pytest_django import Settings

from orchestration.actions import task
from orchestration.core.enums import Outcome
from orchestration.execution.perform import perform
from tests.orchestration.actions.test_script import Build

OURS = (
    "orchestration.work", "orchestration.sweep", "orchestration.relay", "orchestration.audit_seal",
    "approvals.callbacks", "approvals.presses", "approvals.reconcile", "notifications.deliver",
)  # fmt: skip
PATHS = (
    "os.system", "subprocess.run", "builtins.eval", "approvals.requests.decide", "orchestration.runs.acts.act",
    "notifications.tasks.deliver", "notifications.tasks:deliver", "django.core.management.call_command",
    "zen_project.celery.debug",
)  # fmt: skip


@pytest.fixture
def registered() -> Iterator[Callable[..., None]]:
    """Registers a task for one test."""
    names: list[str] = []

    def register(name: str, module: str) -> None:
        def run(**given: object) -> object:
            return given

        run.__module__ = module
        shared_task(name=name)(run)
        current_app.finalize()
        names.append(name)

    yield register
    for name in names:
        current_app.tasks.unregister(name)


def every_task() -> list[str]:
    from zen_project.celery import app

    app.loader.import_default_modules()
    return list(app.tasks)


def test_each_task_of_ours_is_known_to_celery_and_none_is_a_handler(call: Build) -> None:
    names = every_task()
    assert set(OURS) <= set(names) and any(name.startswith("celery.") for name in names)
    for name in names:
        if name.startswith(
            ("celery.", "orchestration.", "approvals.", "notifications.", "zen_project.", "monitoring.")
        ):
            assert task.find(name) is None, name
            result = perform(call(type="task", handler=name))
            assert (result.outcome, result.maybe) == (Outcome.FAILED, False) and "there is no task" in result.error


@pytest.mark.parametrize("name", PATHS)
def test_a_path_is_no_handler(call: Build, name: str) -> None:
    assert perform(call(type="task", handler=name, argv="id")).outcome is Outcome.FAILED


@pytest.mark.parametrize("module", ["approvals.tasks", "orchestration", "notifications.tasks", "celery.app.builtins"])
def test_a_task_of_ours_by_another_name_is_none_either(registered: Callable[..., None], module: str) -> None:
    registered("harmless", module)
    assert task.find("harmless") is None


def test_a_task_of_the_site_is_a_handler(call: Build, registered: Callable[..., None]) -> None:
    registered("shop.charge", "shop.tasks")
    assert perform(call(type="task", handler="shop.charge", amount=3)).output == {"amount": 3}
    assert "did you mean 'shop.charge'" in perform(call(type="task", handler="shop.chrge")).error


def test_what_the_site_registers_may_be_anything(call: Build, settings: Settings) -> None:
    settings.ZEN_TASKS = {"notifications.deliver": "tests.orchestration.actions.handlers.give"}
    assert perform(call(type="task", handler="notifications.deliver", value=1)).output == {"result": 1}


def test_no_task_of_ours_is_proposed(call: Build) -> None:
    every_task()
    assert "did you mean" not in perform(call(type="task", handler="notifications.delivr")).error


def test_an_error_of_a_handler_of_our_own_is_a_fault_of_the_machine_and_no_outcome(
    call: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is performed again; a phase of a project is not undone since the database was away for a moment."""

    def breaks(payload: object, context: object) -> object:
        raise OperationalError("the server closed the connection unexpectedly")

    monkeypatch.setattr("orchestration.actions.task._reserved", lambda: {"zen.project.verify": breaks})
    with pytest.raises(OperationalError):
        perform(call(type="task", handler="zen.project.verify"))
