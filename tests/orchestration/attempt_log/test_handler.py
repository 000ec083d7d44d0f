"""What is logged under an attempt becomes lines of its run; nothing else does."""

from __future__ import annotations

import contextvars
import logging
import threading

import pytest

from foundation import telemetry
from orchestration.attempt_log import line
from orchestration.attempt_log.buffer import BUFFER
from orchestration.models import Run, RunLine
from tests.orchestration.attempt_log.conftest import Under, texts

log = logging.getLogger("shop.orders")
pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_what_is_logged_under_an_attempt_is_kept_with_its_names(run: Run, under: Under) -> None:
    with under(attempt=2, claim=1):
        assert dict(telemetry.bound()) == {
            "workflow_id": "lines-1", "step_id": "a", "attempt": "2", "engine": "celery",
        }  # fmt: skip
        log.warning("paid %d of %s", 3, "order-1")
    log.warning("outside")
    assert BUFFER.flush()
    (kept,) = RunLine.objects.all()
    assert (kept.run_id, kept.step_id, kept.purpose, kept.iteration, kept.attempt, kept.n) == (
        run.pk, "a", "forward", 1, 2, 1,
    )  # fmt: skip
    assert (kept.text, kept.level, kept.logger) == ("paid 3 of order-1", logging.WARNING, "shop.orders")


def test_information_is_kept_and_detail_for_developers_is_not(under: Under) -> None:
    with under():
        log.debug("too fine")
        log.info("fine")
    BUFFER.flush()
    assert texts() == ["fine"]


def test_the_machinery_is_heard_only_when_it_warns(under: Under) -> None:
    with under():
        logging.getLogger("orchestration.workers.celery.worker").info("of ours")
        logging.getLogger("foundation.db.outages").warning("waits for the database")
        logging.getLogger("orchestrations").info("of the site's own")
    BUFFER.flush()
    assert texts() == ["waits for the database", "of the site's own"]


def test_an_exception_is_kept_with_its_traceback(under: Under) -> None:
    with under():
        try:
            raise ValueError("no such order")
        except ValueError:
            log.exception("it broke")
    BUFFER.flush()
    (text,) = texts()
    assert text.startswith("it broke\nTraceback") and text.endswith("ValueError: no such order")


def test_arguments_that_do_not_fit_lose_no_line_and_raise_nothing(
    under: Under, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    with under():
        log.warning("%d lines", "many")
    BUFFER.flush()
    assert texts() == ["%d lines ('many',)"]


def test_arguments_that_cannot_be_told_break_no_attempt(under: Under, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)  # pytest's own handler raises otherwise

    class Untold:
        def __repr__(self) -> str:
            raise RuntimeError("away")

    with under():
        log.warning("paid %s", Untold())
    BUFFER.flush()
    assert texts() == ["paid %s (<Untold that cannot be told>)"]


def test_a_thread_with_a_copied_context_belongs_to_the_attempt_and_another_does_not(under: Under) -> None:
    with under():
        context = contextvars.copy_context()
        threads = [
            threading.Thread(target=context.run, args=(log.warning, "mine")),
            threading.Thread(target=contextvars.Context().run, args=(log.warning, "nobody's")),
        ]
        for thread in threads:
            thread.start()
            thread.join()
    BUFFER.flush()
    assert texts() == ["mine"]


def test_the_thousand_and_first_line_is_left_out_and_counted(under: Under) -> None:
    telemetry.take()
    with under():
        for n in range(line.MOST_LINES + 234):
            log.info("line %d", n)
    BUFFER.flush()
    kept = texts()
    assert len(kept) == line.MOST_LINES + 1
    assert kept[-2:] == ["line 999", "234 lines left out"]
    assert RunLine.objects.get(text="234 lines left out").level == logging.WARNING
    assert telemetry.take()["zen_log_lines_dropped_total", ()].count == 234


def test_a_megabyte_of_an_attempt_is_kept(under: Under) -> None:
    with under():
        for _ in range(130):
            log.info("x" * line.LONGEST)
    BUFFER.flush()
    assert len(texts()) == 129 and texts()[-1] == "2 lines left out"


def test_an_attempt_within_its_bounds_says_nothing_of_its_own(under: Under) -> None:
    with under():
        log.info("only this")
    BUFFER.flush()
    assert texts() == ["only this"]


def test_an_attempt_that_another_worker_performs_again_keeps_the_lines_of_the_lost_one(under: Under) -> None:
    with under():
        log.info("first worker")
    with under(claim=2):
        log.info("second worker")
    BUFFER.flush()
    assert texts() == ["first worker", "second worker"]


def test_an_attempt_that_is_performed_again_under_the_same_claim_goes_on_counting(under: Under) -> None:
    for text in ("before the outage", "after it"):
        with under():
            log.info(text)
    BUFFER.flush()
    assert list(RunLine.objects.order_by("n").values_list("n", "text")) == [(1, "before the outage"), (2, "after it")]
