"""`task`: a Python function that the site registered (ZEN_TASKS), or a Celery task by its name."""

from __future__ import annotations

import contextvars
import dataclasses
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string
from pydantic import JsonValue

from orchestration.actions.base import Call, Result
from orchestration.actions.errors import Refused, TryLater
from orchestration.attempt_log.handler import OURS
from orchestration.core.enums import Outcome
from orchestration.core.likeness import nearest

LOOK_SECONDS = 0.5
NO_HANDLER = "the task names no handler; name one that is registered in ZEN_TASKS, or give the step an agent_type"
NOT_PAYLOAD = frozenset({"type", "handler"})
CELERY = "celery."
RESERVED = "zen."
"""What Zen itself registers begins so (ZEN_RESERVED_TASKS); no site's handler does."""
OWN = OURS
"""The packages whose tasks run the site itself: no saga may run one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What a handler may want to know.

    `cancelled` is set at its timeout, and when its run no longer wants the result. A handler that works for long looks
    at it and ends, with Refused where nothing was done: its attempt lasts until it has really ended.
    """

    workflow_id: str
    step_id: str
    purpose: str
    idempotency_key: str
    cancelled: threading.Event
    iteration: int = 1
    attempt: int = 1


Handler = Callable[[Mapping[str, JsonValue], TaskContext], JsonValue]


def task(call: Call) -> Result:
    name = str(call.action.get("handler") or "")
    if not name:
        return Result(outcome=Outcome.FAILED, error=NO_HANDLER)
    handler = find(name)
    if handler is None:
        return Result(outcome=Outcome.FAILED, error=f"there is no task '{name}'; {_nearest(name)}")
    return _bounded(handler, call)


def find(name: str) -> Handler | None:
    if name.startswith(RESERVED):
        return _reserved().get(name)
    registered: Mapping[str, str] = getattr(settings, "ZEN_TASKS", {})
    if name in registered:
        return _imported(registered[name])
    found = current_app.tasks.get(name) if name in _of_the_site() else None
    return (lambda payload, context: found.run(**payload)) if found is not None else None


@lru_cache(maxsize=1)
def _reserved() -> dict[str, Handler]:
    """Handlers of phases of projects, from the tables that the rooms above bring."""
    tables: list[Mapping[str, str]] = [import_string(path) for path in settings.ZEN_RESERVED_TASKS]
    return {name: _imported(path) for table in tables for name, path in table.items()}


def _of_the_site() -> list[str]:
    """The Celery tasks that the site itself brings: none of Zen's, and none of Celery's."""
    return [name for name, found in current_app.tasks.items() if not name.startswith(CELERY) and not _is_own(found)]


def _is_own(found: Any) -> bool:
    """By where it is written, for a task may be called anything."""
    modules = {str(getattr(found, "__module__", "")), str(getattr(found.run, "__module__", ""))}
    modules |= {str(found.name)}
    return bool({module.partition(".")[0] for module in modules} & {*OWN, "celery"})


@lru_cache(maxsize=128)
def _imported(path: str) -> Handler:
    handler: Handler = import_string(path)
    return handler


def _bounded(handler: Handler, call: Call) -> Result:
    """Run the handler in a thread; tell it to stop at the timeout, or when the run no longer wants the result.

    A thread cannot be ended from outside. So the attempt lasts until the handler has really ended, however late:
    otherwise a retry or an undo would run at the same time.
    """
    box: list[Result | Exception] = []
    told = threading.Event()
    inside = dataclasses.replace(call, cancelled=told)
    context = contextvars.copy_context()  # what it logs belongs to this attempt
    thread = threading.Thread(
        target=lambda: box.append(context.run(_outcome, handler, inside)), daemon=True, name="task-handler"
    )
    deadline = time.monotonic() + call.timeout_seconds
    thread.start()
    late_since = _ended(thread, call, told, deadline)
    result = box[0] if box else Result(outcome=Outcome.UNKNOWN, maybe=True, error="the task's thread gave no answer")
    if isinstance(result, Exception):
        raise result
    return result if late_since is None else _late(result, call.timeout_seconds, time.monotonic() - late_since)


def _ended(thread: threading.Thread, call: Call, told: threading.Event, deadline: float) -> float | None:
    """Wait for the thread's end. Returns when its time was over, if that was before (monotonic seconds)."""
    noted = overdue_noted = False
    while True:
        left = deadline - time.monotonic()
        thread.join(min(LOOK_SECONDS, left) if left > 0 else LOOK_SECONDS)
        if not thread.is_alive():
            return None if left > 0 else deadline
        is_late = time.monotonic() >= deadline
        if told.is_set():  # at the look before this one: what obeys at once is not noted
            noted = noted or call.goes_on(False)
            is_overdue = time.monotonic() >= deadline + settings.ZEN_HANDLER_GRACE_SECONDS
            overdue_noted = overdue_noted or (is_overdue and call.goes_on(True))
        elif is_late or call.cancelled.is_set():
            told.set()


def _late(result: Result, limit: float, seconds: float) -> Result:
    """It ended after its time. A refusal still says that nothing was done; anything else was possibly done."""
    error = f"the task timed out after {limit:g} s, and its handler ended {seconds:.1f} s later"
    error += f": {result.error}" if result.error else ""
    if result.maybe or result.outcome is Outcome.SUCCEEDED:
        return dataclasses.replace(result, outcome=Outcome.UNKNOWN, maybe=True, error=error)
    return dataclasses.replace(result, error=error)


def _outcome(handler: Handler, call: Call) -> Result | Exception:
    """What came of it. An error of a handler of our own is a fault of the machinery: a database that is away, a disk
    that is full. Those may be performed again, and nothing is undone for want of a machine.
    """
    payload = {key: value for key, value in call.action.items() if key not in NOT_PAYLOAD}
    context = TaskContext(
        workflow_id=call.workflow_id,
        step_id=call.step_id,
        purpose=call.purpose.value,
        idempotency_key=call.idempotency_key,
        cancelled=call.cancelled,
        iteration=call.iteration,
        attempt=call.attempt,
    )
    try:
        value = handler(payload, context)
    except Refused as error:
        return Result(outcome=Outcome.FAILED, error=str(error), detail=_evidence(error))
    except TryLater as error:
        return Result(outcome=Outcome.RETRYABLE, error=str(error), retry_after=error.after)
    except BaseException as error:  # noqa: BLE001 - a handler's bug, or its sys.exit, is an outcome: it may have acted
        if isinstance(error, Exception) and str(call.action["handler"]).startswith(RESERVED):
            return error
        return Result(outcome=Outcome.UNKNOWN, maybe=True, error=f"the task raised {type(error).__name__}: {error}")
    finally:
        connections.close_all()
    return _answer(value)


def _evidence(error: Refused) -> Mapping[str, JsonValue]:
    return {} if error.evidence is None else {"evidence": error.evidence}


def _answer(value: object) -> Result:
    """What the handler gave back, as JSON would bring it: tuples as lists, keys as text.

    A handler of our own may give the result itself, such as one that is parked while people are asked.
    """
    if isinstance(value, Result):
        return value
    if value is None:
        return Result(outcome=Outcome.SUCCEEDED, output={})
    try:
        plain: JsonValue = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        return Result(outcome=Outcome.FAILED, maybe=True, error=f"the task gave back what is not JSON: {error}")
    return Result(outcome=Outcome.SUCCEEDED, output=plain if isinstance(plain, dict) else {"result": plain})


def _nearest(name: str) -> str:
    known = sorted({*getattr(settings, "ZEN_TASKS", {}), *_of_the_site()})
    close = nearest(name, known)
    return f"did you mean '{close}'?" if close else "register it in ZEN_TASKS, or name a Celery task"
