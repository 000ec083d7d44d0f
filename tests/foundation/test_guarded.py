"""One item's error reaches no other; who waits for another thread's work hears of any end."""

from __future__ import annotations

import ast
import logging
import re
import subprocess
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest
from django.db import OperationalError

from foundation.guarded import guarded, logged, settle
from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
MOST = 12
log = logging.getLogger(__name__)


def broken() -> int:
    raise KeyError("wheel")


def test_what_works_is_given_back_and_what_breaks_is_answered_by_the_caller() -> None:
    seen: list[Exception] = []
    assert guarded(lambda: 7, seen.append) == 7 and seen == []
    assert guarded(broken, lambda error: repr(error)) == "KeyError('wheel')"


def test_the_caller_may_let_an_error_pass() -> None:
    def only_keys(error: Exception) -> None:
        if isinstance(error, KeyError):
            raise error

    with pytest.raises(KeyError):
        guarded(broken, only_keys)
    assert guarded(lambda: 1 // 0, only_keys) is None


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_process_passes(end: type[BaseException]) -> None:
    def ending() -> None:
        raise end

    with pytest.raises(end):
        guarded(ending, lambda error: None)


def test_each_of_several_items_is_done_and_what_broke_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    done: list[float] = []
    for item in (1, 0, 2):
        guarded(lambda: done.append(6 / item), logged(log, "item %s broke", item))  # noqa: B023 - called at once
    assert done == [6, 3] and "item 0 broke" in caplog.text and "ZeroDivisionError" in caplog.text


def test_what_broke_for_want_of_the_database_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def away() -> None:
        raise OperationalError("server closed the connection")

    guarded(away, logged(log, "item %s broke", 7))
    assert "item 7 broke: server closed the connection" in caplog.text and "Traceback" not in caplog.text


@pytest.mark.parametrize("end", [KeyError, SystemExit, KeyboardInterrupt])
def test_who_waits_for_another_thread_hears_of_any_end(end: type[BaseException]) -> None:
    def ending() -> int:
        raise end

    order: list[str] = []
    future: Future[int] = Future()
    future.add_done_callback(lambda _: order.append("told"))
    thread = threading.Thread(target=settle, args=(future, ending), kwargs={"before": lambda: order.append("before")})
    thread.start()
    with pytest.raises(end):
        future.result(PATIENCE_SECONDS)
    thread.join(PATIENCE_SECONDS)
    assert order == ["before", "told"]
    whole: Future[int] = Future()
    settle(whole, lambda: 3)
    assert whole.result(0) == 3


def broad_handlers() -> list[tuple[str, int, str]]:
    """File, line, and the line and the one above it, of each handler of any error in the product and its tools."""
    found = []
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in tracked.split():
        path = ROOT / name
        if re.search(r"(^|/)(tests|migrations|benchmarks|examples)/", name) or not path.exists():
            continue
        text = path.read_text()
        lines = text.splitlines()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ExceptHandler):
                kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
                if any(
                    k is None or (isinstance(k, ast.Name) and k.id in {"Exception", "BaseException"}) for k in kinds
                ):
                    found.append((name, node.lineno, "\n".join(lines[node.lineno - 2 : node.lineno])))
    return found


def test_broad_handlers_are_few_and_say_why() -> None:
    found = broad_handlers()
    assert 2 <= len(found) <= MOST, [f"{name}:{line}" for name, line, _ in found]
    assert [f"{name}:{line}" for name, line, text in found if len(text.rpartition("#")[2].strip()) < 20] == []
